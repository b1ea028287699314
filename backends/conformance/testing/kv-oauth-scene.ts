import { randomBytes, randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { createKvOAuthBackend } from '../../kv-oauth/backend.js'
import { DEFAULT_SESSION_POLICY } from '../../kv-oauth/context.js'
import { SESSION_COOKIE_NAME } from '../../kv-oauth/session-cookie.js'
import type { OAuthProvider } from '../../kv-oauth/provider.js'
import { defineOAuthProvider } from '../../kv-oauth/define-provider.js'
import { type OidcServer, startOidcServer } from '../../kv-oauth/testing/oidc-server.js'
import type { AuthBackendPort } from '../../port.js'
import { parseKeyring } from '../../keyring.js'
import { singleCookie, toAuthnRequest } from '../../request.js'
import { createKeyringSessionTokenCrypto } from '../../session-token.js'
import type { KvOAuthStores, SessionRecord } from '../../kv-oauth/session-store.js'
import { createPool } from '../../../prisma/pool.js'
import { openStores } from '../../kv-oauth/storage/stores.js'
import type { AuthBackendHarness, SignedIn } from '../harness.js'

const REDIRECT_URI = 'http://localhost:8094/api/v1/auth/callback'
/** How subjects begin that the backend does not admit. */
const REFUSED = 'refused-'
const ISSUER = 'https://issuer.example'

/** The environment of the kv-oauth backend under test. */
export interface KvOAuthScene {
  readonly databaseUrl: string
  readonly pool: PostgresPool
  readonly oidc: OidcServer
  readonly provider: OAuthProvider
  readonly key: string
  /** Value of `NETSCRIPT_AUTH_SESSION_STORE`; empty means Postgres. */
  readonly sessionStore: string
  /** The stores of another process. */
  readonly stores: KvOAuthStores
  close(): Promise<void>
}

export async function startKvOAuthScene(sessionStore = ''): Promise<KvOAuthScene> {
  const oidc = await startOidcServer({ redirectUri: REDIRECT_URI, claimsInIdToken: true })
  const database = await createTestDatabase()
  const pool = createPool(database.url)
  const stores = await openStores({ pool, sessionStore })
  return {
    databaseUrl: database.url,
    pool,
    oidc,
    provider: defineOAuthProvider({
      id: 'local',
      clientId: 'client',
      clientSecret: 'secret',
      issuer: oidc.issuer,
      redirectUri: REDIRECT_URI,
    }),
    key: randomBytes(32).toString('base64url'),
    sessionStore,
    stores,
    async close() {
      await stores.close()
      await pool.end()
      await database.drop()
      await oidc.close()
    },
  }
}

/** The harness of kv-oauth. The scene must be ready when the first check runs. */
export function kvOAuthHarness(
  scene: () => KvOAuthScene,
  storeDown: NonNullable<AuthBackendHarness['storeDown']>,
): AuthBackendHarness {
  const crypto = () => createKeyringSessionTokenCrypto(parseKeyring(scene().key))
  const recordOf = async ({ headers }: SignedIn): Promise<SessionRecord> => {
    const token = singleCookie(toAuthnRequest({ headers }), SESSION_COOKIE_NAME) ?? ''
    const record = await scene().stores.sessions.get(crypto().openSessionToken(token) ?? '')
    if (!record) throw new Error('There is no such session.')
    return record
  }

  /** Moves a session into the past, as if time had passed. */
  const age =
    (ms: number) =>
    async (_backend: AuthBackendPort, signedIn: SignedIn): Promise<void> => {
      const record = await recordOf(signedIn)
      const aged = {
        issuedAt: record.issuedAt - ms,
        expiresAt: record.expiresAt - ms,
        version: record.version + 1,
      }
      if (!(await scene().stores.sessions.extend({ ...record, ...aged }, 'used')))
        throw new Error('The session has already ended.')
    }

  return {
    name: 'kv-oauth',
    create() {
      const { provider, key, pool, sessionStore } = scene()
      return createKvOAuthBackend({
        provider,
        key,
        pool,
        sessionStore,
        allowInsecureRequests: true,
        admit: ({ subject }) =>
          subject.startsWith(REFUSED) ? { allow: false, reason: 'refused' } : { allow: true },
      })
    },
    async signIn(_backend, as) {
      const { provider, stores } = scene()
      const subject = as ? (await recordOf(as)).subject : randomUUID()
      const identity = { providerId: provider.id, issuer: ISSUER, subject }
      const profile = { displayName: 'Ada', email: 'ada@example.com', emailVerified: true }
      const { userId } = await stores.users.signIn({ ...identity, profile })
      const { token, sessionId } = crypto().issueSessionToken()
      const now = Date.now()
      const session = {
        ...identity,
        id: sessionId,
        userId,
        scopes: ['openid'],
        roles: ['member'],
        claims: { name: 'Ada' },
        user: profile,
        issuedAt: now,
        expiresAt: now + DEFAULT_SESSION_POLICY.idleMs,
        absoluteExpiresAt: now + DEFAULT_SESSION_POLICY.absoluteMs,
        auditSubject: 'audit',
        version: 1,
      }
      await stores.sessions.create(session)
      await stores
        .tokens(parseKeyring(scene().key))
        .save(session, provider.id, { accessToken: randomUUID(), scopes: ['openid'] })
      const [secret = ''] = token.split('.')
      return { headers: { cookie: `${SESSION_COOKIE_NAME}=${token}` }, secrets: [secret] }
    },
    expire: age(DEFAULT_SESSION_POLICY.idleMs + 1000),
    refreshDue: age(DEFAULT_SESSION_POLICY.refreshWindowMs),
    async revokeElsewhere(_backend, signedIn) {
      const { id } = await recordOf(signedIn)
      await scene().stores.sessions.revoke(id, 'revoked-by-operator')
    },
    storeDown,
    async approve(redirectUrl) {
      return (await scene().oidc.signIn(new URL(redirectUrl), randomUUID())).searchParams
    },
    async approveRefused(redirectUrl) {
      const login = REFUSED + randomUUID()
      return (await scene().oidc.signIn(new URL(redirectUrl), login)).searchParams
    },
    async giveRole(_backend, signedIn, role) {
      const { userId } = await recordOf(signedIn)
      await scene().stores.users.changeRoles(userId, { add: [role] })
    },
  }
}
