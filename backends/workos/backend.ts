import {
  type AuthBackendPort,
  type AuthProviderDescriptor,
  createHmacSessionTokenCrypto,
  createProviderRegistry,
} from '@netscript/plugin-auth-core'
import { createAccessTokenVerifier } from './access-token.js'
import { authenticate } from './authenticate.js'
import { createUserManagement } from './client.js'
import { createEndedSessions } from './ended-sessions.js'
import type { WorkosContext } from './identify.js'
import { checkOptions, type WorkosBackendOptions } from './options.js'
import { createSessionRefresher } from './refresh.js'
import { createSessionCookie } from './session-cookie.js'
import { createWorkosSessions } from './sessions.js'

const PROVIDER: AuthProviderDescriptor = { id: 'workos', displayName: 'WorkOS', kind: 'oidc' }

/**
 * A backend for applications that sign people in with WorkOS AuthKit. It reads the sealed cookie
 * that AuthKit sets, or an access token sent as a bearer token (RFC 6750), renews the session, lists
 * sessions and ends them. Signing in stays with AuthKit: the backend has no interactive flow.
 *
 * The SDK checks neither the issuer nor the client of an access token; this backend does.
 *
 * @throws AuthConfigurationError that names the option and the fix.
 *
 * @example
 * ```ts
 * const backend = await createWorkosBackend({
 *   apiKey: getRequiredEnv('WORKOS_API_KEY'),
 *   clientId: getRequiredEnv('WORKOS_CLIENT_ID'),
 *   cookiePassword: getRequiredEnv('WORKOS_COOKIE_PASSWORD'),
 * })
 * ```
 */
export async function createWorkosBackend(options: WorkosBackendOptions): Promise<AuthBackendPort> {
  const settings = checkOptions(options)
  const userManagement = await createUserManagement(settings)
  const context: WorkosContext = {
    settings,
    userManagement,
    verifier: createAccessTokenVerifier(settings),
    refresher: createSessionRefresher(userManagement, settings),
    cookie: createSessionCookie(settings),
    ended: createEndedSessions(),
  }
  if (settings.insecureCookies) {
    settings.log.warn({ code: 'INSECURE_COOKIES' }, 'Session cookies are sent without Secure.')
  }
  return {
    name: 'workos',
    providers: createProviderRegistry([PROVIDER]),
    sessions: createWorkosSessions(context),
    // A list of one: a password may contain commas.
    crypto: createHmacSessionTokenCrypto([settings.cookiePassword]),
    capabilities: {
      interactive: false,
      listSessions: true,
      revokeSessions: true,
      refresh: settings.refresh !== 'never',
      providerLogout: true,
      backChannelLogout: false,
    },
    signInHint: settings.signInHint,
    authenticate: (request) => authenticate(context, request),
    probe: () => context.verifier.probe(),
    // Nothing is held open: every request to WorkOS ends by its timeout.
    close: async () => {},
  }
}
