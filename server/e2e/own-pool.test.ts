import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { betterAuthBackendFromEnv } from '../../backends/better-auth/backend.js'
import { createNetscriptBetterAuth } from '../../backends/better-auth/instance.js'
import { createBetterAuthOperator } from '../../backends/better-auth/operator.js'
import { AuthConfigurationError } from '../../backends/errors.js'
import { createKeyring } from '../../backends/keyring.js'
import { createKvOAuthBackend } from '../../backends/kv-oauth/backend.js'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import { providers } from '../../backends/kv-oauth/presets.js'
import { createPool } from '../../prisma/pool.js'
import { openStores } from '../../backends/kv-oauth/storage/stores.js'
import {
  describeWithPgBouncer,
  startPgBouncer,
} from '../../backends/kv-oauth/storage/testing/pgbouncer.js'
import { createMigratedDatabase } from '../../backends/kv-oauth/storage/testing/placed-database.js'
import { createTokenIssuer } from '../tokens/token-issuer.js'
import { createPrismaClient } from '../../prisma/client.js'
import { applyMigrations } from '../../prisma/migrate.js'
import type { TestDatabase } from '../../prisma/test-database.js'
import { createRateLimiter } from '../engine/rate-limit.js'

const SECRET = 's'.repeat(32)
const ORIGIN = 'http://localhost:8094'
const KEY = randomBytes(32)

/** Functions that take a pool, each with a query. */
const USES: Record<string, (pool: PostgresPool) => Promise<unknown>> = {
  createKvOAuthBackend: (pool) =>
    createKvOAuthBackend({
      pool,
      key: KEY.toString('base64url'),
      provider: providers.google({
        clientId: 'id',
        clientSecret: 'secret',
        redirectUri: `${ORIGIN}/api/v1/auth/callback`,
      }),
    }),
  openStores: async (pool) => (await openStores({ pool })).probe(),
  createOperator: async (pool) => createOperator(pool).findUsers(),
  createNetscriptBetterAuth: (pool) =>
    createNetscriptBetterAuth({
      pool,
      prisma: createPrismaClient(pool),
      secret: SECRET,
      baseURL: ORIGIN,
    }),
  betterAuthBackendFromEnv: (pool) =>
    betterAuthBackendFromEnv({ BETTER_AUTH_SECRET: SECRET }, { pool, baseUrl: ORIGIN }),
  createBetterAuthOperator: async (pool) => createBetterAuthOperator(pool).findUsers(),
  createTokenIssuer: async (pool) =>
    createTokenIssuer({
      pool,
      keyring: createKeyring([KEY]),
      origin: 'https://auth.example',
      audiences: ['https://orders.example'],
    }).maintain(),
  'the rate limit': async (pool) =>
    createRateLimiter({ shared: { pool, secret: SECRET } }).charge('signin', '192.0.2.1'),
}

describe('a pool of the caller on a URL with schema=', () => {
  let database: TestDatabase
  beforeAll(async () => {
    // Tables in public too, of an earlier installation: queries of the wrong schema would silently succeed.
    database = await createMigratedDatabase({})
    const pool = createPool(urlWith({ schema: 'my app' }))
    await applyMigrations(pool)
    await pool.end()
  })
  afterAll(() => database.drop())

  const urlWith = (parameters: Record<string, string>): string =>
    `${database.url}?${new URLSearchParams(parameters).toString().replaceAll('+', '%20')}`
  const schemaOf = async (pool: PostgresPool): Promise<unknown> =>
    (await pool.query('SELECT current_schema() AS name')).rows[0]

  it.each(Object.keys(USES))('is refused by %s, with two ways out', async (name) => {
    const own = new pg.Pool({ connectionString: urlWith({ schema: 'my app' }) })
    const error: unknown = await Promise.resolve(own)
      .then(USES[name])
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuthConfigurationError)
    const { message } = error as Error
    expect(message).toMatch(
      /^`pool` has schema=my app in its URL, which pg ignores\. .*createPool\(url\)/,
    )
    const [, options = ''] = /replace schema= by (options=\S+)\.$/.exec(message) ?? []

    const ways = [
      createPool(urlWith({ schema: 'my app' })),
      new pg.Pool({ connectionString: `${database.url}?${options}` }),
    ]
    for (const pool of ways) {
      expect(await schemaOf(pool)).toEqual({ name: 'my app' })
      await USES[name]!(pool)
      await pool.end()
    }
    await own.end()
  })

  it.each<[string, pg.PoolConfig]>([
    ['without schema=', {}],
    ['with schema=public, as Prisma writes it', { connectionString: 'schema=public' }],
  ])('is accepted %s', async (_which, { connectionString = '' }) => {
    const own = new pg.Pool({ connectionString: `${database.url}?${connectionString}` })
    for (const use of Object.values(USES)) await use(own)
    await own.end()
  })
})

describeWithPgBouncer('a pool of the caller through PgBouncer', () => {
  it.each(['', '?pgbouncer=true'])(
    'serves everything at once, with %j in its URL',
    async (parameters) => {
      const database = await createMigratedDatabase({})
      const bouncer = await startPgBouncer()
      const own = new pg.Pool({ connectionString: bouncer.url(database.url) + parameters, max: 5 })
      try {
        const uses = Object.values(USES)
        await Promise.all([...uses, ...uses, ...uses].map((use) => use(own)))
      } finally {
        await own.end()
        await bouncer.close()
        await database.drop()
      }
    },
  )
})
