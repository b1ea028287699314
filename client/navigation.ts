import type { AuthCalls, AuthClient, AuthClientOptions } from './auth-api.js'
import { AuthClientError } from './error.js'

/** Adds to the calls those that leave the page. */
export function withNavigation(
  calls: AuthCalls,
  { navigate = (url) => globalThis.location.assign(url) }: AuthClientOptions,
): AuthClient {
  const leaveFor = (url: string): void => {
    // An address is never run as a script, wherever the answer came from.
    if (!/^(https?:\/\/|\/)/i.test(url)) {
      throw new AuthClientError('UNEXPECTED_RESPONSE', 'The address to go to is no web address.')
    }
    navigate(url)
  }
  return {
    ...calls,
    async redirectToSignIn(input) {
      leaveFor((await calls.signin(input)).redirectUrl)
    },
    async redirectToSignOut(input) {
      const { logoutUrl, redirectTo } = await calls.signout(input)
      const target = logoutUrl ?? redirectTo
      if (target !== undefined) leaveFor(target)
    },
  }
}
