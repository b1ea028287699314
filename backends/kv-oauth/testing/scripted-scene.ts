import { randomBytes } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createPool } from '../../../prisma/pool.js'
import { describeWithRedis } from '../storage/testing/describe-with-redis.js'
import { startTestRedis, type TestRedis } from '../storage/testing/redis-server.js'
import {
  createKvOAuthBackend,
  type KvOAuthBackend,
  type KvOAuthBackendOptions,
} from '../backend.js'
import type { OAuthProviderOptions } from '../provider.js'
import {
  RENEWAL_DUE_MS,
  type ScriptedProvider,
  startScriptedProvider,
} from './scripted-provider.js'

/** The kinds of provider. */
export const KINDS = ['oidc', 'oauth'] as const
export type Kind = (typeof KINDS)[number]

/** A scripted provider and the kv-oauth backends of a test. */
export interface ScriptedScene {
  readonly idp: ScriptedProvider
  readonly pool: PostgresPool
  /** The session store of the backends, as in their options. */
  readonly sessionStore: string
  /** Fields of the log lines of the running test. */
  readonly log: Record<string, unknown>[]
  /** Advances the clock of the backends until access tokens are due for a refresh. */
  renewalsDue(): void
  /** A backend with this provider only; it is closed after the test. */
  create(
    kind: Kind,
    provider?: Partial<OAuthProviderOptions>,
    options?: Partial<KvOAuthBackendOptions>,
  ): Promise<KvOAuthBackend>
}

/** Runs tests with sessions in Postgres, and again with sessions in Redis. */
export function describeOnEveryStore(name: string, tests: (scene: ScriptedScene) => void): void {
  describe(`${name}, in Postgres`, () => tests(scriptedScene()))
  describeWithRedis(`${name}, in Redis`, () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await startTestRedis()
    })
    afterAll(() => redis.close())
    tests(scriptedScene(() => redis.url))
  })
}

/** A {@link ScriptedScene} for the surrounding `describe`. */
export function scriptedScene(sessionStore: () => string = () => ''): ScriptedScene {
  let idp: ScriptedProvider
  let database: TestDatabase
  let pool: PostgresPool
  const key = randomBytes(32).toString('base64url')
  const backends: KvOAuthBackend[] = []
  const log: Record<string, unknown>[] = []
  let ahead = 0
  const note = (fields: object, message: string): void => void log.push({ ...fields, message })
  beforeAll(async () => {
    idp = await startScriptedProvider()
    database = await createTestDatabase()
    pool = createPool(database.url)
  })
  afterEach(async () => {
    idp.reset()
    log.length = 0
    ahead = 0
    for (const backend of backends.splice(0)) await backend.close()
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
    await idp.close()
  })
  return {
    get idp() {
      return idp
    },
    get pool() {
      return pool
    },
    get sessionStore() {
      return sessionStore()
    },
    log,
    renewalsDue: () => void (ahead += RENEWAL_DUE_MS),
    async create(kind, provider, options) {
      const backend = await createKvOAuthBackend({
        provider: idp[kind](provider),
        key,
        pool,
        sessionStore: sessionStore(),
        allowInsecureRequests: true,
        now: () => Date.now() + ahead,
        log: { info: note, warn: note, error: note },
        ...options,
      })
      backends.push(backend)
      return backend
    },
  }
}
