import { randomBytes, randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { parseKeyring } from '../keyring.js'
import type { Operator } from '../operator.js'
import { toAuthnRequest } from '../request.js'
import { createKeyringSessionTokenCrypto } from '../session-token.js'
import type { KvOAuthStores, SessionRecord } from './session-store.js'
import { createPool } from '../../prisma/pool.js'
import { sessionRecord } from './storage/session-store-suite.js'
import { openStores } from './storage/stores.js'
import { describeWithRedis } from './storage/testing/describe-with-redis.js'
import { startTestRedis } from './storage/testing/redis-server.js'
import { createKvOAuthBackend, type KvOAuthBackend } from './backend.js'
import { SESSION_COOKIE_NAME } from './session-cookie.js'
import { createOperator } from './operator.js'
import { defineOAuthProvider } from './define-provider.js'
import { type JsonServer, type JsonServerAnswer, startJsonServer } from './testing/json-server.js'

const KEY = randomBytes(32).toString('base64url')

suite('Postgres', describe, async () => ({ url: '', close: async () => {} }))
suite('Redis', describeWithRedis, () => startTestRedis())

/** Sessions in one store, and a provider that waits while a test ends a session. */
function suite(
  name: string,
  describeStore: (name: string, tests: () => void) => void,
  startStore: () => Promise<{ url: string; close(): Promise<void> }>,
): void {
  describeStore(`ending sessions in ${name}`, () => {
    let sessionStore: Awaited<ReturnType<typeof startStore>>
    let database: TestDatabase
    let pool: PostgresPool
    let stores: KvOAuthStores
    let backend: KvOAuthBackend
    let operator: Operator
    let idp: JsonServer
    let signingKey: CryptoKey
    /** Runs once during a token refresh, and returns the response of the provider. */
    let duringRenewal: () => Promise<JsonServerAnswer>

    beforeAll(async () => {
      const { privateKey, publicKey } = await generateKeyPair('RS256')
      signingKey = privateKey
      const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
      idp = await startJsonServer(({ path }) => {
        if (path === '/token') return duringRenewal()
        if (path === '/jwks') return { json: { keys: [jwk] } }
        if (path === '/revoke') return { json: {} }
        return {
          json: {
            issuer: idp.origin,
            authorization_endpoint: `${idp.origin}/auth`,
            token_endpoint: `${idp.origin}/token`,
            revocation_endpoint: `${idp.origin}/revoke`,
            jwks_uri: `${idp.origin}/jwks`,
            id_token_signing_alg_values_supported: ['RS256'],
          },
        }
      })
      ;[sessionStore, database] = await Promise.all([startStore(), createTestDatabase()])
      pool = createPool(database.url)
      stores = await openStores({ pool, sessionStore: sessionStore.url })
      operator = createOperator(pool, stores)
      backend = await createKvOAuthBackend({
        provider: defineOAuthProvider({
          id: 'idp',
          issuer: idp.origin,
          clientId: 'client',
          clientSecret: 'secret',
          redirectUri: 'http://localhost:8094/api/v1/auth/callback',
        }),
        key: KEY,
        pool,
        sessionStore: sessionStore.url,
        allowInsecureRequests: true,
      })
    })
    afterAll(async () => {
      await backend.close()
      await stores.close()
      await pool.end()
      await Promise.all([database.drop(), sessionStore.close(), idp.close()])
    })

    interface SignedIn {
      record: SessionRecord
      request: ReturnType<typeof toAuthnRequest>
    }
    async function signedIn(as?: SignedIn): Promise<SignedIn> {
      const subject = as?.record.subject ?? randomUUID()
      const identity = { providerId: 'idp', issuer: idp.origin, subject }
      const { userId } = await stores.users.signIn({ ...identity, profile: {} })
      const { token, sessionId } = createKeyringSessionTokenCrypto(
        parseKeyring(KEY),
      ).issueSessionToken()
      const record = sessionRecord(userId, { ...identity, id: sessionId, tokenRefreshAt: 0 })
      await stores.sessions.create(record)
      await stores.tokens(parseKeyring(KEY)).save(record, 'idp', { refreshToken: 'old' })
      const request = toAuthnRequest({ headers: { cookie: `${SESSION_COOKIE_NAME}=${token}` } })
      return { record, request }
    }
    const isLive = async ({ record }: SignedIn): Promise<boolean> =>
      (await stores.sessions.get(record.id)) !== undefined

    async function logoutToken({ sid, subject }: SessionRecord): Promise<string> {
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
      return new SignJWT({ sid, events })
        .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'logout+jwt' })
        .setIssuer(idp.origin)
        .setAudience('client')
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('2 minutes')
        .setJti(randomUUID())
        .sign(signingKey)
    }

    describe('during a token refresh', () => {
      const ends: Readonly<Record<string, (session: SignedIn) => Promise<unknown>>> = {
        'signed out': ({ request }) => backend.sessions.signOut(request, { everywhere: false }),
        'signed out everywhere': ({ request }) =>
          backend.sessions.signOut(request, { everywhere: true }),
        'signed out everywhere from another browser': async (session) =>
          backend.sessions.signOut((await signedIn(session)).request, { everywhere: true }),
        'revoked by its owner': ({ record }) =>
          backend.sessions.revokeSession(record.userId, record.id),
        'revoked with all others': async (session) => {
          const { id, userId } = (await signedIn(session)).record
          await backend.sessions.revokeSessions(userId, { except: id })
        },
        'revoked by an operator': ({ record }) => operator.revokeSession(record.id),
        'revoked with all of the user': ({ record }) => operator.revokeSessions(record.userId),
        'ended by disabling the user': ({ record }) => operator.disableUser(record.userId),
        'ended by deleting the user': ({ record }) => operator.deleteUser(record.userId),
        'ended by the provider': async ({ record }) =>
          backend.backChannelLogout?.(await logoutToken(record)),
      }
      const answers: Readonly<Record<string, JsonServerAnswer>> = {
        renewed: {
          json: { access_token: 'a', token_type: 'bearer', refresh_token: 'new', expires_in: 60 },
        },
        refused: { status: 400, json: { error: 'invalid_grant' } },
        failed: { status: 500, json: {} },
      }
      const cases = Object.entries(ends).flatMap(([how, end]) =>
        Object.entries(answers).map(([outcome, answer]) => ({ how, end, outcome, answer })),
      )

      it.each(cases)(
        'a session that is $how stays ended when the refresh is $outcome',
        async ({ end, answer, outcome }) => {
          const session = await signedIn()
          let asked = 0
          duringRenewal = async () => {
            asked += 1
            await end(session)
            return answer
          }
          expect(await backend.authenticate(session.request)).toMatchObject({ ok: false })
          expect(asked).toBe(1)
          expect(await isLive(session)).toBe(false)
          expect(await stores.tokens(parseKeyring(KEY)).read(session.record, 'idp')).toBeUndefined()
          expect(await backend.authenticate(session.request)).toMatchObject({ ok: false })
          const revoked = idp.requests.filter(({ path }) => path === '/revoke').at(-1)
          if (outcome === 'renewed') expect(revoked?.form.get('token')).toBe('new')
        },
      )

      if (name === 'Postgres') {
        it('a session that is signed out stays ended when the renewed tokens cannot be stored', async () => {
          const session = await signedIn()
          duringRenewal = async () => {
            await backend.sessions.signOut(session.request, { everywhere: false })
            await pool.query(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$`)
            await pool.query(`CREATE TRIGGER disk_full BEFORE UPDATE ON auth_provider_tokens
              FOR EACH STATEMENT EXECUTE FUNCTION disk_full()`)
            return { json: { access_token: 'a', token_type: 'bearer', refresh_token: 'new' } }
          }
          expect(await backend.authenticate(session.request)).toMatchObject({ ok: false })
          await pool.query('DROP FUNCTION disk_full CASCADE')
        })
      }
    })

    describe('if ending one of several sessions fails,', () => {
      const acts: Readonly<Record<string, (own: SignedIn) => Promise<unknown>>> = {
        'signing out everywhere': ({ request }) =>
          backend.sessions.signOut(request, { everywhere: true }),
        'revoking all others': ({ record }) =>
          backend.sessions.revokeSessions(record.userId, { except: record.id }),
        'revoking all as an operator': ({ record }) => operator.revokeSessions(record.userId),
        'disabling the user': ({ record }) => operator.disableUser(record.userId),
        'deleting the user': ({ record }) => operator.deleteUser(record.userId),
      }

      it.each(Object.entries(acts))('%s fails, and can be repeated', async (_name, act) => {
        const own = await signedIn()
        const others = [await signedIn(own), await signedIn(own)]
        await pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$`)
        await pool.query(`CREATE TRIGGER refuse BEFORE INSERT ON auth_audit_events FOR EACH ROW
          WHEN (NEW.session_id = '${others[0]?.record.id}') EXECUTE FUNCTION refuse()`)
        await expect(act(own)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
        expect(await isLive(own)).toBe(true)
        await pool.query('DROP FUNCTION refuse CASCADE')
        await act(own)
        for (const session of others) expect(await isLive(session)).toBe(false)
        expect(await isLive(own)).toBe(act === acts['revoking all others'])
      })
    })
  })
}
