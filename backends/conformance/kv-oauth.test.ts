import { randomBytes, randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createKvOAuthBackend } from '../kv-oauth/backend.js'
import { DEFAULT_SESSION_POLICY, SESSION_COOKIE_NAME } from '../kv-oauth/context.js'
import { defineOAuthProvider, type OAuthProvider } from '../kv-oauth/provider.js'
import { type OidcServer, startOidcServer } from '../kv-oauth/testing/oidc-server.js'
import { AuthError } from '../errors.js'
import type { AuthBackendPort } from '../port.js'
import { singleCookie, toAuthnRequest } from '../request.js'
import type { SessionRecord, SessionStore, UserStore } from '../session-store.js'
import { createPool } from '../storage/pool.js'
import { createPostgresSessionStore } from '../storage/postgres-session-store.js'
import { createPrismaUserStore } from '../storage/prisma-user-store.js'
import { type AuthBackendHarness, runAuthBackendConformance, type SignedIn } from './index.js'
import { takeDatabaseAway } from './testing/unreachable-database.js'

const REDIRECT_URI = 'http://localhost:8094/api/v1/auth/callback'
const ISSUER = 'https://issuer.example'
const key = randomBytes(32).toString('base64url')

let database: TestDatabase
let pool: pg.Pool
let oidc: OidcServer
let provider: OAuthProvider
/** As another process has them. */
let sessions: SessionStore
let users: UserStore

beforeAll(async () => {
  oidc = await startOidcServer({ redirectUri: REDIRECT_URI, claimsInIdToken: true })
  database = await createTestDatabase()
  pool = createPool(database.url)
  sessions = createPostgresSessionStore(pool)
  users = createPrismaUserStore(pool)
  provider = defineOAuthProvider({
    id: 'local',
    clientId: 'client',
    clientSecret: 'secret',
    issuer: oidc.issuer,
    redirectUri: REDIRECT_URI,
  })
})

afterAll(async () => {
  await pool.end()
  await database.drop()
  await oidc.close()
})

const open = (): Promise<AuthBackendPort> =>
  createKvOAuthBackend({ provider, key, pool, allowInsecureRequests: true })

async function recordOf(
  { crypto }: AuthBackendPort,
  { headers }: SignedIn,
): Promise<SessionRecord> {
  const token = singleCookie(toAuthnRequest({ headers }), SESSION_COOKIE_NAME) ?? ''
  const record = await sessions.get(crypto.openSessionToken(token) ?? '')
  if (!record) throw new Error('There is no such session.')
  return record
}

/** Moves a session into the past, as if the clock had gone on. */
const age =
  (ms: number) =>
  async (backend: AuthBackendPort, signedIn: SignedIn): Promise<void> => {
    const record = await recordOf(backend, signedIn)
    const aged = {
      issuedAt: record.issuedAt - ms,
      expiresAt: record.expiresAt - ms,
      version: record.version + 1,
    }
    if (!(await sessions.extend({ ...record, ...aged }, 'used')))
      throw new Error('It is over already.')
  }

const harness: AuthBackendHarness = {
  name: 'kv-oauth',
  create: open,
  async signIn(backend, as) {
    const subject = as ? (await recordOf(backend, as)).subject : randomUUID()
    const identity = { providerId: provider.id, issuer: ISSUER, subject }
    const profile = { displayName: 'Ada', email: 'ada@example.com', emailVerified: true }
    const { userId } = await users.signIn({ ...identity, profile })
    const { token, sessionId } = backend.crypto.issueSessionToken()
    const now = Date.now()
    await sessions.create({
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
    })
    const [secret = ''] = token.split('.')
    return { headers: { cookie: `${SESSION_COOKIE_NAME}=${token}` }, secrets: [secret] }
  },
  expire: age(DEFAULT_SESSION_POLICY.idleMs + 1000),
  refreshDue: age(DEFAULT_SESSION_POLICY.refreshWindowMs),
  async revokeElsewhere(backend, signedIn) {
    await sessions.revoke((await recordOf(backend, signedIn)).id, 'revoked-by-operator')
  },
  storeDown: () => takeDatabaseAway(pool),
  async approve(redirectUrl) {
    return (await oidc.signIn(new URL(redirectUrl), randomUUID())).searchParams
  },
}

runAuthBackendConformance(harness, { describe, it })

describe('kv-oauth with a pool of its own', () => {
  it('can be closed twice', async () => {
    vi.stubEnv('DATABASE_URL', database.url)
    const backend = await createKvOAuthBackend({ provider, key })
    vi.unstubAllEnvs()
    await backend.close()
    await expect(backend.close()).resolves.toBeUndefined()
    await expect(backend.probe()).rejects.toBeInstanceOf(AuthError)
  })
})
