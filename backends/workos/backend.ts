import {
  type AuthBackendPort,
  type AuthProviderDescriptor,
  createProviderRegistry,
} from '@netscript/plugin-auth-core'
import { createAccessTokenVerifier } from './access-token.js'
import { authenticate } from './authenticate.js'
import { createUserManagement } from './client.js'
import { createWorkosSessions } from './sessions.js'
import { createEndedSessions, type WorkosContext } from './identify.js'
import { checkOptions, type WorkosBackendOptions, workosOptionsFromEnv } from './options.js'
import { createSessionRefresher } from './refresh.js'
import { createSessionCookie } from './session-cookie.js'

const PROVIDER: AuthProviderDescriptor = { id: 'workos', displayName: 'WorkOS', kind: 'oidc' }

/**
 * Creates a backend for applications that sign in users with WorkOS AuthKit. It accepts the sealed
 * cookie of AuthKit or an access token as a bearer token (RFC 6750), refreshes the session, and lists
 * and ends sessions. Users sign in with AuthKit: the backend has no interactive flow.
 *
 * The SDK checks neither the issuer nor the client of an access token; this backend does.
 *
 * @throws AuthConfigurationError with the option and the fix.
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
    // As a list, because a string is split at commas, which a password may contain.
    capabilities: {
      listSessions: true,
      revokeSessions: true,
      refresh: settings.refresh !== 'never',
      providerLogout: true,
    },
    signInHint: settings.signInHint,
    authenticate: (request) => authenticate(context, request),
    probe: () => context.verifier.probe(),
    // Nothing to close: every request to WorkOS has a timeout.
    close: async () => {},
  }
}

/**
 * Creates a WorkOS backend from environment variables; see {@link workosOptionsFromEnv}. `options`
 * adds or overrides options, such as the log.
 *
 * @throws AuthConfigurationError
 *
 * @example
 * ```ts
 * const backend = await workosBackendFromEnv(process.env, { log: logger })
 * ```
 */
export async function workosBackendFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  options: Partial<WorkosBackendOptions> = {},
): Promise<AuthBackendPort> {
  return createWorkosBackend({ ...workosOptionsFromEnv(env), ...options })
}
