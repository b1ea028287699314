import type { Principal } from '@netscript/auth-contract'
import type { Authenticator } from '@netscript/auth-guard'

/**
 * Creates an authenticator that returns the same caller for every request, whatever its credential. For
 * tests of guarded routes that need no session.
 *
 * @param caller What to set of the principal, or `'anonymous'`. By default its `subject` is `test-user`,
 * it has no scopes or roles, and it signed in just now.
 *
 * @example
 * ```ts
 * import { withAuthn } from '@netscript/auth-guard'
 *
 * const authenticator = createFixedAuthenticator({ roles: ['clerk'] })
 * app.use(withAuthn({ authenticator }))
 * ```
 */
export function createFixedAuthenticator(
  caller: Partial<Principal> | 'anonymous' = {},
): Authenticator {
  return {
    realm: 'http://localhost',
    async authenticate() {
      if (caller === 'anonymous') {
        return { ok: false, reason: 'credential-missing', setCookies: [] }
      }
      const claims = { auth_time: Math.floor(Date.now() / 1000), ...caller.claims }
      const principal: Principal = {
        ...{ subject: 'test-user', scopes: [], roles: [], scheme: 'custom' },
        ...caller,
        claims,
      }
      return { ok: true, principal, setCookies: [] }
    },
  }
}
