import { type AppRouter, initContract } from '@ts-rest/core'
import { z } from 'zod'
import { AUTH_PATH_PREFIX } from './auth-contract.js'
import { problems } from './errors.js'
import { ScopeToken } from './signin.js'
import { TokenInput } from './token.js'

/** Response headers of `GET /forward-auth` with the identity of the user. */
export const IDENTITY_HEADERS = {
  authorization: 'Authorization',
  token: 'X-Auth-Token',
  user: 'X-Auth-User',
  name: 'X-Auth-Name',
  email: 'X-Auth-Email',
  roles: 'X-Auth-Roles',
  scopes: 'X-Auth-Scopes',
  session: 'X-Auth-Session',
} as const

/** Response header of a 401 of `GET /forward-auth`: the address of the sign-in page, for a navigation. */
export const SIGN_IN_URL_HEADER = 'X-Auth-Sign-In-Url'

/**
 * Path of the sign-in page, which takes `redirectTo`. It is below the prefix of the API, so that a
 * proxy needs no other path of the service.
 */
export const SIGN_IN_PAGE_PATH = `${AUTH_PATH_PREFIX}/sign-in-page`

/** A repeated parameter. */
const all = (item: z.ZodString, what: string) =>
  z
    .union([item, z.array(item).max(50)])
    .optional()
    .describe(`${what} May repeat: all are required. Default: none.`)

/** The query of forwardAuth. An unknown parameter is refused, so that no misspelled requirement is lost. */
export const ForwardAuthQuery = z.strictObject({
  mode: z
    .enum(['redirect'])
    .optional()
    .describe(
      'Redirects a navigation without a session to the sign-in page, for proxies that pass the response to the browser. Default: 401.',
    ),
  scope: all(ScopeToken, 'A scope that the session must have.'),
  role: all(z.string().min(1).max(256), 'A role that the user must have.'),
  audience: TokenInput.shape.audience
    .optional()
    .describe('The service that the token is for. Default: no token.'),
})
export type ForwardAuthQuery = z.infer<typeof ForwardAuthQuery>

const routes = {
  forwardAuth: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/forward-auth`,
    summary: 'Authenticate a request at a reverse proxy',
    description: `For \`auth_request\` of nginx, \`forward_auth\` of Caddy and \`forwardAuth\` of Traefik. Answers whether the request that the proxy received has a session, and who the user is. Only the session cookie authenticates. Every identity header is in every response, empty when there is nothing to say; values are percent-encoded UTF-8 (\`encodeURIComponent\`), and the entries of a list are encoded and then joined by commas. The proxy must remove these headers from the request that it received. The host of the request must be that of the service. An unsafe \`X-Forwarded-Method\` or \`X-Original-Method\` needs an allowed \`Origin\`. A 401 to a navigation has the address of the sign-in page in \`${SIGN_IN_URL_HEADER}\`.`,
    query: ForwardAuthQuery,
    responses: {
      200: z.undefined(),
      302: z.undefined(),
      ...problems(
        'UNAUTHORIZED',
        'ORIGIN_NOT_ALLOWED',
        'HOST_NOT_ALLOWED',
        'FORBIDDEN',
        'NOT_FOUND',
        'VALIDATION_ERROR',
        'INTERNAL',
        'STORE_UNAVAILABLE',
      ),
    },
  },
} as const satisfies AppRouter

/** The route for reverse proxies. The contract may gain routes without a new version. */
export const forwardAuthContractV1: typeof routes = initContract().router(routes)
