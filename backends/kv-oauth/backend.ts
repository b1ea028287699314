import type { ProviderToken } from '@netscript/auth-contract'
import { createPool, type PostgresPool } from '@netscript/auth-database'
import {
  assertSchemaIsRead,
  checkTables,
  createPostgresAuditLog,
} from '@netscript/auth-database/internal'
import {
  type AuthAccountsPort,
  type AuthBackendPort,
  AuthConfigurationError,
  type AuthLog,
  type AuthSelfServicePort,
  createProviderRegistry,
  type InteractiveFlowPort,
  type Keyring,
  parseKeyring,
  type ProviderTokenOptions,
  silentLog,
} from '@netscript/plugin-auth-core'
import {
  createKeyringSessionTokenCrypto,
  createSubjectHash,
  keyFingerprint,
} from '@netscript/plugin-auth-core/internal'
import { type AuthMetrics, type AuthTrace, silentMetrics, tracedFetch } from './telemetry.js'
import { aroundCalls, watchCalls, watchedStores } from './storage/watched-stores.js'
import type { KvOAuthStores } from './session-store.js'
import { openStores } from './storage/stores.js'
import { accountsPort, selfServicePort } from './accounts.js'
import { authenticate } from './authenticate.js'
import { admitsEveryone, openProvider } from './admission.js'
import type { Admit } from './admit.js'
import { backChannelLogout } from './back-channel-logout.js'
import { handleCallback } from './callback.js'
import { type KvOAuthContext, type SessionPolicy, sessionPolicy } from './context.js'
import { cookiePolicy } from './session-cookie.js'
import type { AuthEvents } from './events.js'
import type { OAuthProvider } from './provider.js'
import { isSessionId, sessionsPort } from './sessions.js'
import { providerToken, sessionEnded } from './provider-token.js'
import { createProviderGate } from './provider-gate.js'
import { refuseConfiguredHttp } from './provider-metadata.js'
import { providersById } from './define-provider.js'
import { signIn } from './sign-in.js'
import { finishLogout, startLogout } from './sign-out.js'

/** Options of {@link createKvOAuthBackend}. */
export interface KvOAuthBackendOptions extends AuthEvents {
  /** The provider. Required without `providers`. */
  provider?: OAuthProvider
  /**
   * Several providers, in display order; `signin` uses the first by default. Required without
   * `provider`.
   */
  providers?: readonly OAuthProvider[]
  /** The serialized keyring. @default the variable `NETSCRIPT_AUTH_KV_OAUTH_KEY` */
  key?: string
  /**
   * A pool to share, preferably from `createPool`; the caller closes it.
   * @default a pool on `DATABASE_URL`, closed with the backend
   */
  pool?: PostgresPool
  /**
   * Redis URLs, to store sessions, transactions and provider tokens there instead of in Postgres;
   * see `backends/kv-oauth/storage/REDIS.md`. An empty string means Postgres.
   * @default the variable `NETSCRIPT_AUTH_SESSION_STORE`
   */
  sessionStore?: string
  /**
   * Decides who may sign in, after the rules of the provider (`admission`).
   * @default every user that those rules admit
   */
  admit?: Admit
  /**
   * Contact that a rejected user can ask for access, such as an e-mail address. @default 'the operator of
   * this service'
   */
  contact?: string
  /** Session lifetimes. @default `DEFAULT_SESSION_POLICY` */
  policy?: Partial<SessionPolicy>
  /**
   * Name of the session cookie. A name without the `__Host-` prefix requires `insecureCookies`.
   * @default '__Host-ns_session'
   */
  cookieName?: string
  /**
   * Allows a cookie without the `__Host-` prefix, and omits Secure when the redirect URI is http:
   * needed by Safari on http://localhost.
   * @default false
   */
  insecureCookies?: boolean
  /** Allows providers over http, for development. @default false */
  allowInsecureRequests?: boolean
  /** Secret for the pseudonyms in the audit trail. @default derived from the keyring */
  auditSalt?: string
  /** @default no log */
  log?: AuthLog
  /** @default no metrics */
  metrics?: AuthMetrics
  /** @default no tracing */
  trace?: AuthTrace
  /** The clock in milliseconds. @default `Date.now` */
  now?: () => number
}

/** The kv-oauth backend, which always has the redirect flow. */
export interface KvOAuthBackend extends AuthBackendPort {
  /** Always `kv-oauth`. */
  readonly name: 'kv-oauth'
  readonly interactive: InteractiveFlowPort
  readonly accounts: AuthAccountsPort
  /** Returns the provider's access token of a session, to call the API of the provider. */
  getProviderToken(
    session: { readonly id: string },
    options?: ProviderTokenOptions,
  ): Promise<ProviderToken>
  readonly selfService: AuthSelfServicePort
}

/**
 * Creates the interactive backend: sign-in with OAuth 2.0 and OpenID Connect, and sessions in Postgres or
 * Redis (through Keyv). It never falls back to memory.
 *
 * @throws AuthConfigurationError with everything that is missing or wrong: a provider, the key, the
 * database, its tables.
 *
 * @example
 * ```ts
 * const backend = await createKvOAuthBackend({
 *   provider: providers.google({
 *     clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
 *     clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
 *     redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
 *   }),
 * })
 * backend.name // 'kv-oauth'
 * ```
 */
export async function createKvOAuthBackend(
  options: KvOAuthBackendOptions,
): Promise<KvOAuthBackend> {
  const log = options.log ?? silentLog
  const { metrics = silentMetrics, trace } = options
  if (options.pool) assertSchemaIsRead(options.pool)
  const { providers, keyring, databaseUrl } = readOptions(options)
  const policy = sessionPolicy(options.policy)
  const cookies = cookiePolicy(options, providers)
  for (const provider of options.admit ? [] : providers.values()) {
    if (admitsEveryone(provider)) log.warn({ provider: provider.id }, openProvider(provider))
  }
  if (!options.allowInsecureRequests) [...providers.values()].forEach(refuseConfiguredHttp)
  const pool =
    options.pool ??
    createPool(databaseUrl, {
      onIdleError: (err) => log.warn({ err }, 'A database connection broke while idle.'),
    })
  let stores: KvOAuthStores | undefined
  const close = async (): Promise<void> => {
    await stores?.close()
    if (!options.pool && !pool.ended) await pool.end()
  }
  try {
    await checkTables(pool, TABLES, options.pool ? '`pool`' : 'DATABASE_URL')
    const sessionStore = options.sessionStore ?? process.env.NETSCRIPT_AUTH_SESSION_STORE
    const opened = await openStores({
      ...{ pool, sessionStore, log },
      onRead: (keys, seconds) => metrics.readBatch(keys, seconds),
    })
    stores = watchedStores(opened, { metrics, trace })
    const { sessions, transactions, users, probe } = stores
    const audit = aroundCalls('audit', createPostgresAuditLog(pool), watchCalls({ metrics, trace }))
    await probe()
    await audit.recordKey(keyFingerprint(keyring))
    const context: KvOAuthContext = {
      providers,
      gate: createProviderGate(),
      keyring,
      cookies,
      log,
      metrics,
      ...(trace && { trace, fetch: tracedFetch(trace) }),
      crypto: createKeyringSessionTokenCrypto(keyring),
      sessions,
      transactions,
      tokens: stores.tokens(keyring),
      signIns: stores.signIns(keyring),
      chargesRateLimits: stores.chargesRateLimits ?? false,
      users,
      audit,
      subjectHash: createSubjectHash(keyring, options.auditSalt),
      policy,
      events: options,
      ...(options.admit && { admit: options.admit }),
      contact: options.contact ?? 'the operator of this service',
      allowInsecureRequests: options.allowInsecureRequests ?? false,
      now: options.now ?? Date.now,
    }
    return composeBackend(context, { probe, close })
  } catch (error) {
    await close()
    throw error
  }
}

const TABLES = [
  'auth_users',
  'auth_accounts',
  'auth_keyv',
  'auth_provider_tokens',
  'auth_linked_provider_tokens',
  'auth_audit_events',
]

/** @throws AuthConfigurationError with everything that is missing or wrong. */
function readOptions(options: KvOAuthBackendOptions): {
  providers: ReturnType<typeof providersById>
  keyring: Keyring
  databaseUrl: string
} {
  const problems: string[] = []
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof AuthConfigurationError)) throw error
      problems.push(error.message)
      return undefined
    }
  }
  const { env } = process
  const given = options.providers ?? (options.provider ? [options.provider] : [])
  const providers = attempt(() => providersById(given))
  const keyring = attempt(() => parseKeyring(options.key ?? env.NETSCRIPT_AUTH_KV_OAUTH_KEY))
  const databaseUrl = env.DATABASE_URL?.trim() ?? ''
  if (!options.pool && databaseUrl === '') {
    problems.push('DATABASE_URL is not set. Set it to the Postgres database, or pass `pool`.')
  }
  if (providers && keyring && problems.length === 0) return { providers, keyring, databaseUrl }
  throw new AuthConfigurationError(problems.join('\n'))
}

function composeBackend(
  context: KvOAuthContext,
  life: Pick<KvOAuthBackend, 'probe' | 'close'>,
): KvOAuthBackend {
  const descriptors = [...context.providers.values()].map((provider) => {
    const { id, displayName, kind, stepUp } = provider
    return { id, displayName, kind, stepUp }
  })
  const oidc = descriptors.some(({ kind }) => kind === 'oidc')
  return {
    name: 'kv-oauth',
    providers: createProviderRegistry(descriptors),
    capabilities: {
      listSessions: true,
      revokeSessions: true,
      refresh: true,
      providerLogout: oidc,
    },
    interactive: {
      chargesRateLimit: context.chargesRateLimits,
      signIn: (request, input) => signIn(context, request, input),
      handleCallback: (request, query) => handleCallback(context, request, query),
      startLogout: startLogout(context),
      finishLogout: finishLogout(context),
    },
    sessions: sessionsPort(context),
    accounts: accountsPort(context),
    selfService: selfServicePort(context),
    ...(oidc && { backChannelLogout: (token) => backChannelLogout(context, token) }),
    getProviderToken: async (session, options) => {
      if (!isSessionId(session.id)) throw sessionEnded()
      return providerToken(context, session, options)
    },
    authenticate: (request) => authenticate(context, request),
    countSessions: () => context.sessions.count(),
    warmUp: async () => {
      await import('openid-client')
    },
    ...life,
  }
}
