import { type AuthnRequest, toAuthnRequest } from '../../request.js'
import type { WorkosBackendOptions } from '../options.js'
import type { WorkosApi } from './workos-api.js'

/** A request with any number of `wos-session` cookies and an `Authorization` header. */
export function requestWith({
  cookies = [],
  authorization,
}: { cookies?: readonly string[]; authorization?: string } = {}): AuthnRequest {
  return toAuthnRequest({
    headers: {
      cookie: cookies.map((cookie) => `wos-session=${cookie}`).join('; '),
      authorization,
    },
  })
}

/** A request with one session cookie. */
export const withCookie = (cookie: string): AuthnRequest => requestWith({ cookies: [cookie] })

/** A request with an access token. */
export const withBearer = (token: string): AuthnRequest =>
  requestWith({ authorization: `Bearer ${token}` })

/** Options for a backend that uses this API. */
export const optionsFor = (api: WorkosApi): WorkosBackendOptions => ({
  apiKey: api.apiKey,
  clientId: api.clientId,
  cookiePassword: api.cookiePassword,
  apiUrl: api.url,
})
