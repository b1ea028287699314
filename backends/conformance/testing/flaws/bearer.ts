import type { AuthBackendHarness } from '../../harness.js'
import { singleCookie, toAuthnRequest } from '../../../request.js'
import { MEMORY_COOKIE } from '../memory-store.js'
import type { BackendChange } from '../memory-harness.js'
import { authenticating, withCookies } from './flaw.js'

/** A backend that also takes its token as a bearer token; `choose` says which ones then count. */
export const acceptingBearer = (
  choose: (cookie: string | undefined, token: string) => readonly string[],
): BackendChange =>
  authenticating((authenticate) => (request) => {
    const token = /^Bearer ([\w.-]+)$/.exec(request.header('authorization') ?? '')?.[1]
    if (token === undefined) return authenticate(request)
    const chosen = choose(singleCookie(request, MEMORY_COOKIE), token)
    return authenticate(withCookies(request, () => chosen))
  })

/** The right way: two credentials that differ are none. */
export const acceptingEither = acceptingBearer((cookie, token) =>
  cookie === undefined || cookie === token ? [token] : [cookie, token],
)

/** A harness that says that the token is also a bearer token. */
export const withBearer = ({ signIn }: AuthBackendHarness): Partial<AuthBackendHarness> => ({
  async signIn(backend, as) {
    const signedIn = await signIn(backend, as)
    const bearer = singleCookie(toAuthnRequest(signedIn), MEMORY_COOKIE)
    return { ...signedIn, ...(bearer !== undefined && { bearer }) }
  },
})
