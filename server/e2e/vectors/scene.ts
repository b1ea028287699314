import { createHash } from 'node:crypto'
import { vi } from 'vitest'
import { AuthBackendOperationUnsupportedError, providerError } from '../../../backends/errors.js'
import { createKeyring } from '../../../backends/keyring.js'
import { createKvOAuthBackend, type KvOAuthBackend } from '../../../backends/kv-oauth/backend.js'
import type { AdmissionRules } from '../../../backends/kv-oauth/admission.js'
import type { OAuthProvider } from '../../../backends/kv-oauth/provider.js'
import type { AuthBackendPort, AuthnResult } from '../../../backends/port.js'
import type { AuthSession } from '../../../contract/session.js'
import { toAuthnRequest } from '../../../backends/request.js'
import { createPool } from '../../../prisma/pool.js'
import { createPostgresSigningKeyStore } from '../../tokens/signing-keys.js'
import type { UserStore } from '../../../backends/kv-oauth/session-store.js'
import { createPostgresUserStore } from '../../../backends/kv-oauth/storage/postgres-user-store.js'
import { createServiceKeys } from '../../tokens/service-keys.js'
import { createTokenIssuer, type TokenIssuer } from '../../tokens/token-issuer.js'
import { AUTH_PATH_PREFIX } from '../../../contract/auth-contract.js'
import { PublicKey } from '../../../contract/token.js'
import { createTestDatabase } from '../../../prisma/test-database.js'
import type { AuthApiOptions } from '../../engine/engine.js'
import { createLogger } from '../../log.js'
import { startTcpProxy } from '../faults/tcp-proxy.js'
import { createFixedProvider, type FixedProvider, fixedSigningKey } from './fixed-provider.js'

const ORIGIN = 'https://auth.example'
const REDIRECT_URI = `${ORIGIN}${AUTH_PATH_PREFIX}/callback`
/** After the clock of any database, which says whether a session has expired. */
const NOW = Date.UTC(2040, 0, 1)
const KEYRING_SECRET = Buffer.alloc(32, 'keyring')
const logger = createLogger('silent')

/** The state before a request. */
export interface Scene {
  readonly options: AuthApiOptions
  /** What the state made, for placeholders. */
  readonly values: Readonly<Record<string, string>>
  /** Whether the same request has been sent once before. */
  readonly isSecond: boolean
  close(): Promise<void>
}

/** Makes scenes, one after the other, on one database. */
export interface Stage {
  /** @throws Error for a name that nothing gives. */
  set(given?: readonly string[]): Promise<Scene>
  close(): Promise<void>
}

/** Opens the database, and injects the clock and the provider. Randomness is the caller's. */
export async function openStage(resetRandom: () => void): Promise<Stage> {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
  const database = await createTestDatabase()
  const pool = createPool(database.url)
  await addSigningKey(pool)
  const idp = createFixedProvider()
  vi.stubGlobal('fetch', idp.fetch)
  const running = await startProcess(pool, idp.define('oidc', REDIRECT_URI))
  return {
    async set(given = []) {
      resetRandom()
      vi.setSystemTime(NOW)
      Object.assign(idp, { down: false, refuses: false })
      const scene = new SceneBuilder(pool, database.url, idp, running)
      if (given.length === 0) return scene
      await pool.query('DELETE FROM auth_keyv; DELETE FROM auth_accounts; DELETE FROM auth_users')
      try {
        for (const name of given) await give(scene, name)
        return scene
      } catch (error) {
        await scene.close()
        throw error
      }
    },
    async close() {
      await pool.end()
      await database.drop()
      vi.useRealTimers()
      vi.unstubAllGlobals()
    },
  }
}

type Pool = ReturnType<typeof createPool>

/** Its signatures differ each time all the same, as those of ECDSA do. */
async function addSigningKey(pool: Pool): Promise<void> {
  const { d, ...publicHalf } = fixedSigningKey('tokens')
  const publicKey = PublicKey.parse({ ...publicHalf, kid: 'key', alg: 'ES256', use: 'sig' })
  await createPostgresSigningKeyStore(pool, createKeyring([KEYRING_SECRET])).add(
    { generation: 1, publicKey, privateKey: JSON.stringify({ ...publicHalf, d }) },
    { signForMs: 24 * 60 * 60_000 },
  )
}

/** A process of the service that has started: it knows nothing of its provider yet. */
interface Process {
  readonly backend: KvOAuthBackend
  readonly options: AuthApiOptions
}

async function startProcess(pool: Pool, provider: OAuthProvider): Promise<Process> {
  const backend = await createKvOAuthBackend({
    ...{ provider, pool, sessionStore: '' },
    key: KEYRING_SECRET.toString('base64url'),
  })
  const tokens = createTokenIssuer({
    pool,
    keyring: createKeyring([KEYRING_SECRET]),
    origin: ORIGIN,
    audiences: ['https://orders.example'],
  })
  const options: AuthApiOptions = {
    ...{ backend, tokens, logger },
    serviceKeys: createServiceKeys(pool),
    origin: ORIGIN,
    corsOrigins: ['https://app.auth.example'],
    allowedReturnTo: ['https://www.example'],
    newRequestId: () => 'request-id',
  }
  return { backend, options }
}

class SceneBuilder implements Scene {
  readonly values: Record<string, string> = {}
  redirectUri = REDIRECT_URI
  isSecond = false
  backend: KvOAuthBackend
  options: AuthApiOptions
  #pool: Pool
  readonly #databaseUrl: string
  readonly #opened: (() => Promise<unknown>)[] = []

  constructor(
    pool: Pool,
    databaseUrl: string,
    readonly idp: FixedProvider,
    { backend, options }: Process,
  ) {
    this.#pool = pool
    this.#databaseUrl = databaseUrl
    this.backend = backend
    this.options = options
  }

  /** Restarts the service. */
  async restart(kind: 'oidc' | 'oauth' = 'oidc', admission?: AdmissionRules): Promise<void> {
    const provider = this.idp.define(kind, this.redirectUri)
    const limited = admission ? { ...provider, admission } : provider
    Object.assign(this, await startProcess(this.#pool, limited))
  }

  get users(): UserStore {
    return createPostgresUserStore(this.#pool)
  }

  query(text: string): Promise<unknown> {
    return this.#pool.query(text)
  }

  /** Keys for two audiences, and a revoked one, as placeholders. */
  async addServiceKeys(): Promise<void> {
    const secret = 's'.repeat(43)
    const hash = createHash('sha256').update(secret).digest('base64url')
    const keys = { serviceKey: 'orders', otherServiceKey: 'other', revokedServiceKey: 'revoked' }
    for (const [at, [placeholder, name]] of Object.entries(keys).entries()) {
      const id = String(at).repeat(16)
      this.values[placeholder] = `nsk_${id}_${secret}`
      await this.#pool.query(
        `INSERT INTO auth_service_keys (id, name, hash, audience, providers, scopes, revoked_at)
         VALUES ($1, $2, $3, $4, '{local,unknown}', '{calendar}', $5) ON CONFLICT DO NOTHING`,
        [id, name, hash, `https://${name}.example`, name === 'revoked' ? new Date() : null],
      )
    }
  }

  authenticate(): ReturnType<KvOAuthBackend['authenticate']> {
    return this.backend.authenticate(
      toAuthnRequest({ headers: { cookie: this.values.session ?? '' } }),
    )
  }

  /** Starts a sign-in in a browser with these cookies. */
  async startSignIn(
    subject: string,
    cookie = '',
    input: { maxAge?: number; acrValues?: readonly string[]; linkTo?: AuthSession } = {},
  ): Promise<{ callback: string; cookie: string }> {
    const { redirectUrl, state, setCookies } = await this.backend.interactive.signIn(
      toAuthnRequest({ headers: { cookie } }),
      { returnTo: `${ORIGIN}/welcome`, ...input },
    )
    const code = this.idp.codeFor(subject, redirectUrl)
    return { callback: new URLSearchParams({ code, state }).toString(), cookie: pairs(setCookies) }
  }

  /** Starts to link the account of `subject` in the browser that is signed in. */
  async startLink(subject: string): Promise<void> {
    const { session: cookie = '' } = this.values
    const caller = await this.backend.authenticate(toAuthnRequest({ headers: { cookie } }))
    if (!caller.ok) throw new Error('Sign in before.')
    const linkTo = caller.session
    const started = await this.startSignIn(subject, cookie, { linkTo })
    Object.assign(this.values, { callback: started.callback, transaction: started.cookie })
  }

  /** Signs in with a browser of its own. */
  async signIn(subject: string): Promise<{ cookie: string; sessionId: string; userId: string }> {
    const { callback, cookie } = await this.startSignIn(subject)
    const { sessionId, userId, setCookies } = await this.backend.interactive.handleCallback(
      toAuthnRequest({ url: this.redirectUri, headers: { cookie, 'user-agent': 'Browser/1.0' } }),
      new URLSearchParams(callback),
    )
    return { cookie: pairs(setCookies.slice(-1)), sessionId, userId }
  }

  /** Links a second account, in a time that does not depend on the clock of the database. */
  async linkAccount(userId: string, sessionId: string): Promise<void> {
    const { users } = this
    const account = { providerId: 'second', issuer: 'https://second.example', subject: 'lovelace' }
    await users.link(userId, account, { sessionId, subjectHash: () => 'hash' })
    await this.#pool.query(
      `UPDATE auth_accounts SET last_sign_in_at = '2040-01-01T00:00:02Z',
         created_at = CASE WHEN subject = 'lovelace' THEN '2040-01-01T00:00:01Z'::timestamptz
           ELSE '2040-01-01T00:00:00Z' END
       WHERE user_id = $1`,
      [userId],
    )
    const [first, second] = await users.listAccounts(userId)
    Object.assign(this.values, { accountId: first?.id, linkedAccountId: second?.id })
  }

  async disableUser(userId: string): Promise<void> {
    await this.users.disable(userId)
  }

  /** Cuts the way to the database. */
  async takeStoreAway(): Promise<void> {
    const proxy = await startTcpProxy(this.#databaseUrl)
    this.#pool = createPool(proxy.url(this.#databaseUrl), { max: 1 })
    this.#opened.push(() => this.#pool.end())
    await this.restart()
    // A process that has run for a while has read the metadata of the provider.
    await this.startSignIn('ada')
    await proxy.close()
  }

  async close(): Promise<void> {
    for (const close of this.#opened) await close()
  }
}

const pairs = (setCookies: readonly string[]): string =>
  setCookies.map((one) => one.split(';', 1)[0]).join('; ')

const GIVEN: Readonly<Record<string, (scene: SceneBuilder) => Promise<unknown> | void>> = {
  async 'signed in'(scene) {
    const { cookie, sessionId, userId } = await scene.signIn('ada')
    Object.assign(scene.values, { session: cookie, sessionId, userId })
  },
  async 'signed in twice'(scene) {
    scene.values.otherSessionId = (await scene.signIn('ada')).sessionId
    vi.setSystemTime(Date.now() + 1000)
    await GIVEN['signed in']!(scene)
  },
  async 'another user is signed in'(scene) {
    const { sessionId, userId } = await scene.signIn('grace')
    const [account] = await scene.users.listAccounts(userId)
    Object.assign(scene.values, { foreignSessionId: sessionId, foreignAccountId: account?.id })
  },
  async 'a second account is linked'(scene) {
    const { userId = '', sessionId = '' } = scene.values
    await scene.linkAccount(userId, sessionId)
  },
  async 'an account of a single one'(scene) {
    const { userId = '', sessionId = '' } = scene.values
    await scene.linkAccount(userId, sessionId)
    await scene.query(`DELETE FROM auth_accounts WHERE subject = 'lovelace'`)
  },
  'a link is started': (scene) => scene.startLink('lovelace'),
  'a link of an account of another user is started': (scene) => scene.startLink('grace'),
  'the backend links no accounts'(scene) {
    const { accounts: _accounts, ...backend } = scene.backend
    configure(scene, { backend })
  },
  async 'the stored times are fixed'(scene) {
    const { userId = '', sessionId = '' } = scene.values
    await scene.linkAccount(userId, sessionId)
    // A trigger protects the audit trail.
    await scene.query(`DO $$ BEGIN
      SET LOCAL session_replication_role = replica;
      DELETE FROM auth_audit_events
        WHERE id < (SELECT max(id) FROM auth_audit_events WHERE type = 'sign-in.completed');
      UPDATE auth_audit_events SET at = '2040-01-01T00:00:00Z';
      UPDATE auth_users SET created_at = '2040-01-01T00:00:00Z';
    END $$`)
  },
  'the backend cannot export and delete users'(scene) {
    const { selfService: _selfService, ...backend } = scene.backend
    configure(scene, { backend })
  },
  'an hour later': () => void vi.setSystemTime(Date.now() + 60 * 60_000),
  'sessions and transactions expired': (scene) =>
    scene.query(
      `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{expires}', '1')::text WHERE expires_at IS NOT NULL`,
    ),
  async 'the session was revoked'({ backend, values: { userId = '', sessionId = '' } }) {
    await backend.sessions.revokeSession(userId, sessionId)
  },
  async 'the user is disabled'(scene) {
    await scene.disableUser((await scene.signIn('ada')).userId)
  },
  'only members of another domain may sign in': (scene) =>
    scene.restart('oidc', { emailDomains: ['members.example'] }),
  async 'sign-in started'(scene) {
    const { callback, cookie } = await scene.startSignIn('ada')
    Object.assign(scene.values, { callback, transaction: cookie })
    scene.values.state = new URLSearchParams(callback).get('state') ?? ''
  },
  'step-up started': (scene) => startStepUp(scene, 'ada', { maxAge: 60 }),
  'step-up started that another user completes': (scene) =>
    startStepUp(scene, 'grace', { maxAge: 60 }),
  'step-up started for a class that the provider does not know': (scene) =>
    startStepUp(scene, 'ada', { acrValues: ['mfa'] }),
  async 'five sign-ins started'(scene) {
    const cookies: string[] = []
    for (let at = 0; at < 5; at += 1) cookies.push((await scene.startSignIn('ada')).cookie)
    scene.values.transactions = cookies.join('; ')
  },
  async 'sign-in completed'(scene) {
    const { values } = scene
    await GIVEN['sign-in started']!(scene)
    const url = `${scene.redirectUri}?${values.callback}`
    await scene.backend.interactive.handleCallback(
      toAuthnRequest({ url, headers: { cookie: values.transaction } }),
      new URLSearchParams(values.callback),
    )
  },
  async 'signed out here'(scene) {
    const { cookie } = await scene.signIn('ada')
    const { logoutUrl = '', setCookies } = await scene.backend.sessions.signOut(
      toAuthnRequest({ headers: { cookie } }),
      { everywhere: false, returnTo: `${ORIGIN}/goodbye` },
    )
    scene.values.ticket = new URL(logoutUrl).searchParams.get('ticket') ?? ''
    scene.values.ticketCookie = pairs(setCookies.slice(-1))
  },
  async 'sent to the provider to sign out'(scene) {
    const { values } = scene
    await GIVEN['signed out here']!(scene)
    const { redirectUrl, setCookies } = await scene.backend.interactive.startLogout(
      toAuthnRequest({ headers: { cookie: values.ticketCookie } }),
      values.ticket ?? '',
    )
    values.logoutState = new URL(redirectUrl).searchParams.get('state') ?? ''
    values.logoutCookie = pairs(setCookies.slice(-1))
  },
  async 'a logout token'({ idp, values }) {
    values.logoutToken = await idp.logoutToken({ sub: 'ada', jti: 'one' })
  },
  async 'a logout token with a nonce'({ idp, values }) {
    values.logoutToken = await idp.logoutToken({ sub: 'ada', jti: 'one', nonce: 'n' })
  },
  async 'a used logout token'(scene) {
    await GIVEN['a logout token']!(scene)
    await scene.backend.backChannelLogout?.(scene.values.logoutToken ?? '')
  },
  'the store is unreachable': (scene) => scene.takeStoreAway(),
  async 'the provider is unreachable'(scene) {
    await scene.restart()
    scene.idp.down = true
  },
  'the provider refuses codes': ({ idp }) => void (idp.refuses = true),
  'a provider without OpenID Connect': (scene) => scene.restart('oauth'),
  async 'a redirect URI for each provider'(scene) {
    scene.redirectUri += '/local'
    await scene.restart()
  },
  'no tokens are issued'(scene) {
    const { tokens: _tokens, serviceKeys: _keys, ...others } = scene.options
    scene.options = others
  },
  'service keys': (scene) => scene.addServiceKeys(),
  async 'a token of the session for orders'(scene) {
    const result = await scene.authenticate()
    if (!result.ok) throw new Error('There is no session.')
    const issued = await scene.options.tokens?.issue(result.session, 'https://orders.example')
    scene.values.subjectToken = issued?.token ?? ''
  },
  'the backend keeps no tokens of providers'(scene) {
    const backend: AuthBackendPort = { ...scene.backend }
    delete (backend as Partial<KvOAuthBackend>).getProviderToken
    configure(scene, { backend })
  },
  'one trusted proxy': (scene) => configure(scene, { trustProxy: 1 }),
  'a trusted proxy at this address': (scene) => configure(scene, { trustProxy: 'loopback' }),
  'a trusted proxy at another address': (scene) => configure(scene, { trustProxy: '192.0.2.1' }),
  'the user has roles and an unusual name': (scene) =>
    change(scene, (result) => ({
      ...result,
      user: { ...result.user, displayName: 'Zo\u00eb,\r\nX-Auth-Roles: admin \ud800' },
      session: { ...result.session, roles: ['clerk', 'a,b'] },
      principal: { ...result.principal, roles: ['clerk', 'a,b'] },
    })),
  'the e-mail address is not verified': (scene) =>
    change(scene, (result) => ({ ...result, user: { ...result.user, emailVerified: false } })),
  'the backend renews the cookie': (scene) =>
    change(scene, (result) => ({ ...result, setCookies: ['session=renewed; Path=/; Secure'] })),
  'the limit is used up'(scene) {
    configure(scene, { rateLimit: { perMinute: 1 } })
    scene.isSecond = true
  },
  'a fault in the backend'(scene) {
    const fault = (): Promise<never> => Promise.reject(new TypeError('SECRET of the inside'))
    configure(scene, {
      backend: brokenBackend(fault),
      tokens: { checkAudience() {}, issue: fault, publicKeys: fault } as unknown as TokenIssuer,
    })
  },
  'the backend cannot manage sessions': (scene) =>
    configure(scene, {
      backend: without(scene.backend, () => {
        throw new AuthBackendOperationUnsupportedError('kv-oauth', 'it', 'Use another one.')
      }),
    }),
  'the provider cannot manage sessions': (scene) =>
    configure(scene, {
      backend: without(scene.backend, () => {
        throw providerError('local', 'The provider is unavailable.')
      }),
    }),
}

type SignedIn = Extract<AuthnResult, { ok: true }>

/** Changes what the backend says of a session. */
function change(scene: SceneBuilder, to: (result: SignedIn) => SignedIn): void {
  const { backend } = scene.options
  configure(scene, {
    backend: {
      ...backend,
      async authenticate(request) {
        const result = await backend.authenticate(request)
        return result.ok ? to(result) : result
      },
    },
  })
}

/** Starts a step-up in the browser of the scene. */
async function startStepUp(
  scene: SceneBuilder,
  subject: string,
  input: { maxAge?: number; acrValues?: readonly string[] },
): Promise<void> {
  const { callback, cookie } = await scene.startSignIn(subject, scene.values.session, input)
  Object.assign(scene.values, { callback, transaction: cookie })
}

async function give(scene: SceneBuilder, name: string): Promise<void> {
  const step = GIVEN[name]
  if (!step) throw new Error(`Nothing gives "${name}". Known: ${Object.keys(GIVEN).join(', ')}.`)
  await step(scene)
}

function configure(scene: SceneBuilder, options: Partial<AuthApiOptions>): void {
  scene.options = { ...scene.options, ...options }
}

/** Every operation fails in a way that no backend should. */
function brokenBackend(fault: () => Promise<never>): AuthBackendPort {
  return {
    name: 'broken',
    get capabilities(): never {
      throw new TypeError('SECRET of the inside')
    },
    sessions: { signOut: fault },
    backChannelLogout: fault,
    accounts: { list: fault, unlink: fault },
    selfService: { exportUser: fault, deleteUser: fault },
    interactive: { signIn: fault, handleCallback: fault, startLogout: fault, finishLogout: fault },
    authenticate: fault,
  } as unknown as AuthBackendPort
}

/** kv-oauth whose sessions are somewhere else, as those of other backends are. */
function without(backend: KvOAuthBackend, refuse: () => never): AuthBackendPort {
  const operation = async (): Promise<never> => refuse()
  return {
    ...backend,
    sessions: {
      signOut: operation,
      listSessions: operation,
      revokeSession: operation,
      revokeSessions: operation,
    },
    interactive: { ...backend.interactive, finishLogout: operation },
    getProviderToken: operation,
  }
}
