import type { AuthBackendHarness } from '../harness.js'
import { singleCookie, toAuthnRequest } from '../../request.js'
import { MEMORY_COOKIE } from '../../../server/testing/memory-store.js'
import type { BackendChange } from './memory-harness.js'
import type { AuthBackendPort } from '../../port.js'

type Authenticate = AuthBackendPort['authenticate']

/** A backend with another `authenticate`. */
export const authenticating =
  (
    make: (authenticate: Authenticate, ...rest: Parameters<BackendChange>) => Authenticate,
  ): BackendChange =>
  (backend, store) => ({
    authenticate: make((request) => backend.authenticate(request), backend, store),
  })

/** A backend that accepts its token as a bearer token too, but no two credentials that differ. */
export const acceptingBearer: BackendChange = authenticating((authenticate) => async (request) => {
  const token = /^Bearer ([\w.-]+)$/.exec(request.header('authorization') ?? '')?.[1]
  if (token === undefined) return authenticate(request)
  const cookie = singleCookie(request, MEMORY_COOKIE)
  const sent = cookie === undefined || cookie === token ? [token] : [cookie, token]
  const result = await authenticate({ ...request, cookies: () => sent })
  if (!result.ok || cookie !== undefined) return result
  return { ...result, principal: { ...result.principal, scheme: 'bearer' } }
})

/** A harness that declares the token as a bearer token too. */
export const withBearer = ({ signIn }: AuthBackendHarness): Partial<AuthBackendHarness> => ({
  async signIn(backend, as) {
    const signedIn = await signIn(backend, as)
    const bearer = singleCookie(toAuthnRequest(signedIn), MEMORY_COOKIE)
    return { ...signedIn, ...(bearer !== undefined && { bearer }) }
  },
})
