import type { AuthCalls, AuthClient, AuthClientOptions } from './auth-api.js'
import { AuthClientError } from './error.js'
import { requiredSignIn } from './step-up.js'

/** Adds the methods that navigate away from the page. */
export function withNavigation(
  calls: AuthCalls,
  { navigate = (url) => globalThis.location.assign(url) }: AuthClientOptions,
): AuthClient {
  const leaveFor = (url: string): void => {
    // Never navigate to a `javascript:` URL, even if a response contains one.
    if (!/^(https?:\/\/|\/)/i.test(url)) {
      throw new AuthClientError(
        'UNEXPECTED_RESPONSE',
        'The address to go to is not an http or https URL.',
      )
    }
    navigate(url)
  }
  return {
    ...calls,
    async redirectToSignIn(input) {
      leaveFor((await calls.signin(input)).redirectUrl)
    },
    async stepUp(refusal, input) {
      const required = await requiredSignIn(refusal)
      if (!required) return false
      // Tokens do not say at which provider the user signed in.
      const known = required.providerId === undefined ? await calls.session() : undefined
      const providerId = known?.authenticated ? known.session.providerId : undefined
      const signin = { ...(providerId !== undefined && { providerId }), ...required, ...input }
      leaveFor((await calls.signin(signin)).redirectUrl)
      return true
    },
    async redirectToSignOut(input) {
      const { logoutUrl, redirectTo } = await calls.signout(input)
      const target = logoutUrl ?? redirectTo
      if (target !== undefined) leaveFor(target)
    },
  }
}
