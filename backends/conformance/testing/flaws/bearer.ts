import type { Principal } from '../../../../contract/principal.js'
import type { AuthBackendHarness } from '../../harness.js'
import { singleCookie, toAuthnRequest } from '../../../request.js'
import { MEMORY_COOKIE } from '../memory-store.js'
import type { BackendChange } from '../memory-harness.js'
import { authenticating, withCookies } from './flaw.js'

/** A backend that also accepts its token as a bearer token; `choose` selects the credentials to use. */
export const acceptingBearer = (
  choose: (cookie: string | undefined, token: string) => readonly string[],
  scheme: Principal['scheme'] = 'bearer',
): BackendChange =>
  authenticating((authenticate) => async (request) => {
    const token = /^Bearer ([\w.-]+)$/.exec(request.header('authorization') ?? '')?.[1]
    if (token === undefined) return authenticate(request)
    const chosen = choose(singleCookie(request, MEMORY_COOKIE), token)
    const result = await authenticate(withCookies(request, () => chosen))
    if (!result.ok || request.cookies(MEMORY_COOKIE).length > 0) return result
    return { ...result, principal: { ...result.principal, scheme } }
  })

/** Accepts no credential when the two differ. */
const either = (cookie: string | undefined, token: string): readonly string[] =>
  cookie === undefined || cookie === token ? [token] : [cookie, token]

/** The correct behavior. */
export const acceptingEither = acceptingBearer(either)

/** Accepts a bearer token, and reports it as the session cookie. */
export const mistakingBearer = acceptingBearer(either, 'custom')

/** A harness that declares the token as a bearer token too. */
export const withBearer = ({ signIn }: AuthBackendHarness): Partial<AuthBackendHarness> => ({
  async signIn(backend, as) {
    const signedIn = await signIn(backend, as)
    const bearer = singleCookie(toAuthnRequest(signedIn), MEMORY_COOKIE)
    return { ...signedIn, ...(bearer !== undefined && { bearer }) }
  },
})
