import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { betterAuthBackendFromEnv } from '../../backends/better-auth/backend.js'
import { createNetscriptBetterAuth } from '../../backends/better-auth/instance.js'
import { AuthConfigurationError } from '../../backends/errors.js'
import { createKvOAuthBackend } from '../../backends/kv-oauth/backend.js'
import { providers } from '../../backends/kv-oauth/presets.js'
import {
  describeWithPgBouncer,
  startPgBouncer,
} from '../../backends/kv-oauth/storage/testing/pgbouncer.js'
import { createPrismaClient } from '../../prisma/client.js'
import { createEmptyTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { examine } from '../cli/doctor/doctor.js'
import { runCli, temporaryWorkspace } from '../cli/testing/run-cli.js'
import { readConfig } from '../config/config.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'

const BETTER_AUTH = { secret: 's'.repeat(32), baseURL: 'http://localhost:8094' }
const CALLBACK = 'http://localhost:8094/api/v1/auth/callback'
const KEY = randomBytes(32).toString('base64url')
const PASSWORD = 'not-to-be-shown'

/** A database that a start cannot use, and the expected message. */
interface Case {
  readonly url: string
  readonly says: RegExp
}

describe('a start that fails at the database', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createEmptyTestDatabase()
    await as(inject('postgresUrl'), [
      `CREATE ROLE lowly LOGIN PASSWORD '${PASSWORD}'`,
      `CREATE ROLE homeless LOGIN PASSWORD '${PASSWORD}'`,
      `ALTER ROLE homeless SET search_path = nowhere`,
      `CREATE ROLE reader LOGIN SUPERUSER PASSWORD '${PASSWORD}'`,
      `ALTER ROLE reader SET default_transaction_read_only = on`,
    ])
  })
  afterAll(async () => {
    await database.drop()
    await as(inject('postgresUrl'), ['DROP ROLE lowly, homeless, reader'])
  })

  const urlOf = (change: (url: URL) => void): string => {
    const url = new URL(database.url)
    url.password = PASSWORD
    change(url)
    return url.href
  }

  const CASES: Record<string, () => Case> = {
    'the user may not create tables': () => ({
      url: urlOf((url) => (url.username = 'lowly')),
      says: /permission denied for schema public.*GRANT USAGE, CREATE ON SCHEMA public.*schema=auth to DATABASE_URL/s,
    }),
    'the user may not create the schema': () => ({
      url: urlOf((url) => {
        url.username = 'lowly'
        url.search = '?schema=own'
      }),
      says: /permission denied for database.*GRANT CREATE ON DATABASE/s,
    }),
    'the schema of the role does not exist and may not be created': () => ({
      url: urlOf((url) => (url.username = 'homeless')),
      says: /permission denied for database.*Create the schema beforehand/s,
    }),
    'the database takes no changes': () => ({
      url: urlOf((url) => (url.username = 'reader')),
      says: /takes no changes.*Point DATABASE_URL at the primary/s,
    }),
    'the password is wrong': () => ({
      url: urlOf(() => {}),
      says: /the user or the password is wrong.*in DATABASE_URL.*percent-encoded/s,
    }),
    'there is no password': () => ({
      url: urlOf((url) => (url.password = '')),
      says: /asks for a password\. Add the password to DATABASE_URL/,
    }),
    'the database does not exist': () => ({
      url: database.url.replace(/test_\w+/, 'missing'),
      says: /the database does not exist.*its name in DATABASE_URL/,
    }),
    'nothing listens there': () => ({
      url: urlOf((url) => (url.port = '1')),
      says: /nothing listens there\. Start it, or correct/,
    }),
    'the server has no TLS': () => ({
      url: `${database.url}?sslmode=require`,
      says: /has no TLS\. Remove sslmode from DATABASE_URL/,
    }),
    'the certificate of the authority cannot be read': () => ({
      url: `${database.url}?sslmode=require&sslrootcert=/no/ca.pem`,
      says: /DATABASE_URL:? names the file \/no\/ca\.pem, which cannot be read.*sslrootcert/,
    }),
    'the password is not encoded': () => ({
      url: `postgres://postgres:${PASSWORD}#more@127.0.0.1/db`,
      says: /DATABASE_URL:? has a user or password with special characters.*Percent-encode/,
    }),
    'several hosts are named': () => ({
      url: `postgres://postgres:${PASSWORD}@one.example,two.example/db`,
      says: /DATABASE_URL:? names several hosts\. Write one/,
    }),
  }

  it.each(Object.keys(CASES))(
    'names the variable and the fix in every command: %s',
    async (name) => {
      const { url, says } = CASES[name]!()
      for (const [where, message] of Object.entries(await sayingsOf(url))) {
        expect(message, where).toMatch(says)
        expect(message, where).toContain('DATABASE_URL')
        expect(message, where).not.toMatch(/\n\s+at |not-to-be-shown|SASL|Invalid URL/)
      }
    },
  )

  it('also affects a mounted app, which says that the tables are missing', async () => {
    await expect(mounted(database.url)).rejects.toThrow(
      /^`pool`: tables are missing.*Run "netscript db migrate"/s,
    )
    process.env.DATABASE_URL = database.url
    await expect(mounted()).rejects.toThrow(
      /^DATABASE_URL: tables are missing.*"netscript db migrate"/s,
    )
    delete process.env.DATABASE_URL
  })

  it.each<[string, (pool: pg.Pool) => Promise<unknown>]>([
    [
      'createNetscriptBetterAuth with `pool`',
      (pool) =>
        createNetscriptBetterAuth({ ...BETTER_AUTH, prisma: createPrismaClient(pool), pool }),
    ],
    [
      'createNetscriptBetterAuth with `prisma`',
      (pool) => createNetscriptBetterAuth({ ...BETTER_AUTH, prisma: createPrismaClient(pool) }),
    ],
    [
      'betterAuthBackendFromEnv with `pool`',
      (pool) =>
        betterAuthBackendFromEnv(
          { BETTER_AUTH_SECRET: BETTER_AUTH.secret },
          { pool, baseUrl: BETTER_AUTH.baseURL },
        ),
    ],
  ])('also affects better-auth mounted in an app: %s', async (name, start) => {
    const option = name.split(' ').at(-1)
    const faults: [url: string, says: string][] = [
      [database.url, 'tables are missing .*Run "netscript db migrate"'],
      [urlOf((url) => (url.port = '1')), 'nothing listens there'],
      [urlOf(() => {}), 'the user or the password is wrong'],
    ]
    for (const [connectionString, says] of faults) {
      const pool = new pg.Pool({ connectionString })
      const error: unknown = await start(pool).catch((thrown: unknown) => thrown)
      await pool.end()
      expect(error).toBeInstanceOf(AuthConfigurationError)
      expect((error as Error).message).toMatch(new RegExp(`^${option}: ${says}`, 's'))
    }
  })

  describeWithPgBouncer('through PgBouncer', () => {
    it('says that the pooler does not know the database', async () => {
      const bouncer = await startPgBouncer()
      const url = bouncer.url(database.url).replace(/test_\w+/, 'missing')
      // The pooler delays further clients, so only one connects.
      expect(await serviceSaying(url)).toMatch(/database "missing" does not exist.*DATABASE_URL/s)
      await bouncer.close()
    })
  })
})

const variablesOf = (url: string): Record<string, string> => ({
  DATABASE_URL: url,
  NETSCRIPT_AUTH_CLIENT_ID: 'id',
  NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
  NETSCRIPT_AUTH_REDIRECT_URI: CALLBACK,
  NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
  PORT: '0',
})

/** The messages of every way to start on a database. */
async function sayingsOf(url: string): Promise<Record<string, string>> {
  const findings = await examine(variablesOf(url), { production: false })
  const { stderr } = await runCli(temporaryWorkspace(), ['db', 'migrate'], { DATABASE_URL: url })
  return {
    service: await serviceSaying(url),
    'netscript db migrate': stderr,
    doctor: findings
      .filter(({ code }) => !code.startsWith('PROVIDER'))
      .map(({ message, fix = '' }) => `${message} ${fix}`)
      .join('\n'),
  }
}

async function serviceSaying(url: string): Promise<string> {
  try {
    const config = readConfig(variablesOf(url), { production: false })
    const logger = createLogger('silent')
    await createAuthService({ config, databaseUrl: url, env: variablesOf(url), logger })
    return 'It started.'
  } catch (error) {
    expect(error).toBeInstanceOf(AuthConfigurationError)
    return (error as Error).message
  }
}

async function mounted(connectionString?: string): Promise<unknown> {
  const pool = connectionString === undefined ? undefined : new pg.Pool({ connectionString })
  try {
    return await createKvOAuthBackend({
      key: KEY,
      provider: providers.google({ clientId: 'id', clientSecret: 's', redirectUri: CALLBACK }),
      ...(pool && { pool }),
    })
  } finally {
    await pool?.end()
  }
}

async function as(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
