import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  describeWithPgBouncer,
  startPgBouncer,
  type TestPgBouncer,
} from '../../backends/kv-oauth/storage/testing/pgbouncer.js'
import { applyMigrations } from '../../prisma/migrate.js'
import {
  createEmptyTestDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../../prisma/test-database.js'
import { examine } from '../cli/doctor/doctor.js'
import { startDevelopment } from '../local/development.js'
import { freePort } from '../local/loopback.js'
import { type LocalProvider, startLocalProvider } from '../local/provider.js'
import { createLogger } from '../log.js'
import { type CrashablePostgres, startCrashablePostgres } from './faults/crashable-postgres.js'
import { startTcpProxy } from './faults/tcp-proxy.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'
import { type ProviderProxy, startProviderProxy } from './support/provider-proxy.js'
import { startTestService } from './support/service.js'

const SECRETS = {
  NETSCRIPT_AUTH_KV_OAUTH_KEY: `${randomBytes(32).toString('base64url')},${randomBytes(32).toString('base64url')}`,
  NETSCRIPT_AUTH_CLIENT_SECRET: 'not-to-be-shown',
}

describe('netscript doctor', () => {
  let local: LocalProvider
  let provider: ProviderProxy
  let database: TestDatabase
  let env: Record<string, string>
  const running: NetscriptProcess[] = []

  beforeAll(async () => {
    const port = await freePort()
    const redirectUri = `http://localhost:${port}/api/v1/auth/callback`
    local = await startLocalProvider({
      clientId: 'client',
      clientSecret: SECRETS.NETSCRIPT_AUTH_CLIENT_SECRET,
      redirectUris: [redirectUri],
      postLogoutRedirectUris: [],
    })
    provider = await startProviderProxy(local.issuer)
    database = await createTestDatabase()
    env = {
      ...SECRETS,
      PORT: String(port),
      DATABASE_URL: database.url,
      NETSCRIPT_AUTH_ISSUER: provider.issuer,
      NETSCRIPT_AUTH_CLIENT_ID: 'client',
      NETSCRIPT_AUTH_REDIRECT_URI: redirectUri,
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    }
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
  })
  afterAll(async () => {
    await provider.stop()
    await local.stop()
    await database.drop()
  })

  /** Findings that are not ok, as `status CODE`, without the two that this setup causes. */
  const found = async (over: Record<string, string> = {}): Promise<string[]> =>
    (await examine({ ...env, ...over }, { production: false }))
      .map(({ status, code }) => `${status} ${code}`)
      .filter((line) => !line.startsWith('ok '))
      .filter((line) => !['warn INSECURE_SWITCH', 'warn COOKIE_SAFARI'].includes(line))

  const netscript = async (
    args: string[],
    over: Record<string, string> = {},
    preload: string[] = [],
  ): Promise<{ code: number | null; output: string }> => {
    const started = startNetscript(args, { ...env, ...over }, preload)
    running.push(started)
    return { code: await started.ended, output: started.output() }
  }

  it('finds no problem in a healthy setup, and runs every check', async () => {
    expect(await found()).toEqual([])
    const codes = (await examine(env, { production: false })).map(({ code }) => code)
    expect(codes).toEqual([
      'NODE',
      'CONFIGURATION',
      'KEYS',
      'PROVIDER',
      'CLOCK_PROVIDER',
      'CLIENT',
      'ADMISSION',
      'REDIRECT_URI',
      'INSECURE_SWITCH',
      'COOKIE_SAFARI',
      'DATABASE',
      'MIGRATIONS',
      'CONNECTIONS',
      'CLOCK_DATABASE',
      'PORT',
    ])
  })

  describe('about the provider', () => {
    it('reports a different issuer in the metadata', async () => {
      provider.metadata = (honest) => ({ ...honest, issuer: `${provider.issuer}/other` })
      expect(await found()).toEqual(['fail PROVIDER_ISSUER'])
      provider.metadata = (honest) => honest
      expect(await found()).toEqual([])
    })

    it('reports missing S256', async () => {
      provider.metadata = (honest) => ({ ...honest, code_challenge_methods_supported: ['plain'] })
      expect(await found()).toEqual(['fail PROVIDER_METADATA'])
      provider.metadata = (honest) => honest
      expect(await found()).toEqual([])
    })

    it.each<[string, object, RegExp]>([
      [
        'pushed authorization requests',
        { require_pushed_authorization_requests: true },
        /requires pushed authorization requests \(PAR, RFC 9126\), .*require_pushed_authorization_requests/,
      ],
      [
        'signed request objects',
        { require_signed_request_object: true },
        /requires signed request objects \(JAR, RFC 9101\)/,
      ],
      [
        'client authentication by key',
        { token_endpoint_auth_methods_supported: ['private_key_jwt'] },
        /authenticates clients by private_key_jwt only .*NETSCRIPT_AUTH_CLIENT_AUTH_METHOD/,
      ],
    ])('fails when it requires %s', async (_what, more, said) => {
      provider.metadata = (honest) => ({ ...honest, ...more })
      const findings = await examine(env, { production: false })
      provider.metadata = (honest) => honest
      const failed = findings.filter(({ status }) => status === 'fail')
      expect(failed).toMatchObject([{ code: 'PROVIDER_METADATA' }])
      expect(`${failed[0]?.message} ${failed[0]?.fix}`).toMatch(said)
    })

    it('says that id_tokens must not be encrypted when the provider could', async () => {
      const encryption = { id_token_encryption_alg_values_supported: ['RSA-OAEP'] }
      provider.metadata = (honest) => ({ ...honest, ...encryption })
      const findings = await examine(env, { production: false })
      provider.metadata = (honest) => honest
      expect(findings.find(({ code }) => code === 'PROVIDER')?.message).toMatch(
        /can encrypt id_tokens, which is not supported here: leave that off for this client/,
      )
    })

    it('tells a rejected client from an accepted one', async () => {
      const client = async (over: Record<string, string> = {}) => {
        const findings = await examine({ ...env, ...over }, { production: false })
        return findings.find(({ code }) => code === 'CLIENT')
      }
      expect(await client()).toMatchObject({
        status: 'ok',
        message: 'oidc accepts the client, which authenticates by client_secret_basic.',
      })
      const wrong = { NETSCRIPT_AUTH_CLIENT_SECRET: 'wrong-but-secret' }
      expect(await client(wrong)).toMatchObject({
        status: 'fail',
        message:
          'oidc, invalid_client: The provider refused the client, which authenticated by client_secret_basic.',
        fix: 'Check the client id and the client secret, or set NETSCRIPT_AUTH_CLIENT_AUTH_METHOD to the method registered at the provider.',
      })
      const encoded = await client({ NETSCRIPT_AUTH_CLIENT_SECRET: 'wrong+but/secret=' })
      expect(encoded).toMatchObject({ status: 'fail' })
      expect(`${encoded?.message} ${encoded?.fix}`).toMatch(
        /percent-encodes .*set NETSCRIPT_AUTH_CLIENT_AUTH_METHOD to client_secret_post\.$/,
      )
    })

    it('reports an unreachable provider, and another server in its place', async () => {
      await provider.stop()
      expect(await found()).toEqual(['fail PROVIDER_UNREACHABLE'])
      await provider.start()
      expect(await found()).toEqual([])
      const elsewhere = { NETSCRIPT_AUTH_ISSUER: `${provider.issuer}/nowhere` }
      expect(await found(elsewhere)).toEqual(['fail PROVIDER_METADATA'])
    })

    it('reports an http provider', async () => {
      const careful = { NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'false' }
      expect(await found(careful)).toEqual(['fail CONFIGURATION'])
    })

    it.each([
      [20_000, ['warn CLOCK_PROVIDER']],
      [-20_000, ['warn CLOCK_PROVIDER']],
      [90_000, ['fail CLOCK_PROVIDER']],
      [-90_000, ['fail CLOCK_PROVIDER']],
      [0, []],
    ])('reports a clock that is %i ms off', async (shift, expected) => {
      provider.clockShiftMs = shift
      expect(await found()).toEqual(expected)
      provider.clockShiftMs = 0
    })

    it('reports on both of two providers', async () => {
      const several = {
        NETSCRIPT_AUTH_PROVIDERS: 'here,there',
        NETSCRIPT_AUTH_HERE_CLIENT_ID: 'client',
        NETSCRIPT_AUTH_HERE_ISSUER: provider.issuer,
        NETSCRIPT_AUTH_THERE_CLIENT_ID: 'client',
        NETSCRIPT_AUTH_THERE_ISSUER: `http://localhost:${await freePort()}`,
      }
      const findings = await examine({ ...env, ...several }, { production: false })
      const messages = findings.map(({ code, message }) => `${code} ${message}`).join('\n')
      expect(messages).toMatch(/^PROVIDER here is /m)
      expect(messages).toMatch(/^PROVIDER_UNREACHABLE there at .*: nothing listens there\.$/m)
      expect(messages).toContain(`${env.NETSCRIPT_AUTH_REDIRECT_URI}/there`)
    })
  })

  describe('about the database', () => {
    let empty: TestDatabase
    let postgres: CrashablePostgres
    const withPool = async (url: string, act: (pool: pg.Pool) => Promise<unknown>) => {
      const pool = new pg.Pool({ connectionString: url, max: 1 })
      await act(pool)
      await pool.end()
    }
    beforeAll(async () => {
      empty = await createEmptyTestDatabase()
      postgres = await startCrashablePostgres(await freePort())
    })
    afterAll(async () => {
      await empty.drop()
      await postgres.close()
    })

    it('reports pending, failed and unknown migrations', async () => {
      const there = { DATABASE_URL: empty.url }
      expect(await found(there)).toEqual(['warn MIGRATIONS'])
      await withPool(empty.url, (pool) => applyMigrations(pool))
      expect(await found(there)).toEqual([])
      const insert = `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)`
      await withPool(empty.url, (pool) => pool.query(`${insert} VALUES ('1', 'x', '9_new', now())`))
      expect(await found(there)).toEqual(['warn MIGRATIONS'])
      await withPool(empty.url, (pool) =>
        pool.query(`UPDATE _prisma_migrations SET finished_at = NULL WHERE id = '1'`),
      )
      expect(await found(there)).toEqual(['fail MIGRATIONS'])
      await withPool(empty.url, (pool) =>
        pool.query(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = '1'`),
      )
      expect(await found(there)).toEqual([])
    })

    it('reports few free connections and a read-only database', async () => {
      const there = { DATABASE_URL: database.url }
      const name = new URL(database.url).pathname.slice(1)
      const alter = (change: string) =>
        withPool(empty.url, (pool) => pool.query(`ALTER DATABASE ${name} ${change}`))
      await alter('CONNECTION LIMIT 9')
      expect(await found(there)).toEqual(['warn CONNECTIONS'])
      await alter('CONNECTION LIMIT -1')
      await alter('SET default_transaction_read_only = on')
      expect(await found(there)).toEqual(['fail DATABASE_READ_ONLY'])
      await alter('RESET default_transaction_read_only')
      expect(await found(there)).toEqual([])
    })

    it('reports unreachable, refused connections, and the recovery', async () => {
      const there = { DATABASE_URL: postgres.url }
      await withPool(postgres.url, (pool) => applyMigrations(pool))
      expect(await found(there)).toEqual([])
      const wrong = new URL(postgres.url)
      wrong.password = 'wrong-but-secret'
      const findings = await examine({ ...env, DATABASE_URL: wrong.href }, { production: false })
      expect(findings.find(({ code }) => code === 'DATABASE')).toMatchObject({
        status: 'fail',
        fix: expect.stringMatching(/^Correct the user and the password in DATABASE_URL\./),
      })
      expect(JSON.stringify(findings)).not.toContain('wrong-but-secret')
      await postgres.crash('SIGQUIT')
      expect(await found(there)).toEqual(['fail DATABASE'])
      await postgres.start()
      expect(await found(there)).toEqual([])
    })

    describeWithPgBouncer('through PgBouncer', () => {
      let [refusing, ignoring]: TestPgBouncer[] = []
      beforeAll(async () => {
        refusing = await startPgBouncer()
        ignoring = await startPgBouncer({ ignore_startup_parameters: 'options' })
      })
      afterAll(() => Promise.all([refusing?.close(), ignoring?.close()]))

      it.each<[string, () => string, object]>([
        ['that refuses options', () => refusing!.url(database.url), { status: 'ok' }],
        ['that ignores options', () => ignoring!.url(database.url), { status: 'ok' }],
        [
          'that the URL tells of',
          () => refusing!.url(`${database.url}?pgbouncer=true`),
          { status: 'ok' },
        ],
        ['that is not there', () => `${database.url}?pgbouncer=true`, { status: 'ok' }],
        [
          'with a schema in the URL',
          () => refusing!.url(`${database.url}?schema=public`),
          {
            status: 'warn',
            message: expect.stringMatching(/search_path of the URL takes a transaction/) as string,
            fix: expect.stringContaining('ALTER ROLE') as string,
          },
        ],
      ])('names the pooler %s', async (_which, urlOf, expected) => {
        const there = { ...env, DATABASE_URL: urlOf() }
        const findings = await examine(there, { production: false })
        expect(findings.filter(({ status }) => status === 'fail')).toEqual([])
        expect(findings.find(({ code }) => code === 'POOLER')).toMatchObject({
          message: expect.stringMatching(
            /^DATABASE_URL leads through a connection pooler/,
          ) as string,
          ...expected,
        })
      })

      it('reports no pooler on a direct connection', async () => {
        const codes = (await examine(env, { production: false })).map(({ code }) => code)
        expect(codes).not.toContain('POOLER')
      })
    })

    it('does not wait for a database that never responds', async () => {
      const proxy = await startTcpProxy(database.url)
      proxy.stall()
      const result = await netscript(['doctor', '--json'], {
        DATABASE_URL: proxy.url(database.url),
      })
      expect(result.code).toBe(1)
      expect(result.output).toContain('it does not respond in time')
      proxy.resume()
      await proxy.close()
    })
  })

  describe('about the port', () => {
    it('recognizes the service, even with a different configuration', async () => {
      const service = await startTestService()
      const there = { PORT: new URL(service.origin).port }
      const redirect = { NETSCRIPT_AUTH_REDIRECT_URI: `${service.origin}/api/v1/auth/callback` }
      expect(await found({ ...there, ...redirect })).toEqual([])
      const another = { NETSCRIPT_AUTH_BACKEND: 'better-auth', BETTER_AUTH_SECRET: 'x'.repeat(32) }
      expect(await found({ ...there, ...another })).toEqual(['fail PORT'])
      await service.close()
    })

    it('reports another program on it', async () => {
      const stranger = createServer((_req, res) => res.end('{"status":"ok"}'))
      await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
      const { port } = stranger.address() as AddressInfo
      const there = {
        PORT: String(port),
        NETSCRIPT_AUTH_REDIRECT_URI: `http://localhost:${port}/api/v1/auth/callback`,
      }
      expect(await found(there)).toEqual(['fail PORT'])
      await new Promise((resolve) => stranger.close(resolve))
      expect(await found(there)).toEqual([])
    })
  })

  describe('about the local provider', () => {
    const NONE = {
      NETSCRIPT_AUTH_ISSUER: '',
      NETSCRIPT_AUTH_CLIENT_ID: '',
      NETSCRIPT_AUTH_CLIENT_SECRET: '',
      NETSCRIPT_AUTH_REDIRECT_URI: '',
    }
    const localPort = () => new URL(local.issuer).port
    const codes = async (over: Record<string, string>): Promise<string[]> =>
      (await examine({ ...env, ...NONE, ...over }, { production: false })).map(
        ({ status, code }) => `${status} ${code}`,
      )

    it('accepts a free port, and reports one that another service’s local provider uses', async () => {
      const free = { NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: String(await freePort()) }
      expect(await codes(free)).toContain('ok LOCAL_PROVIDER')
      const taken = { NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: localPort() }
      expect(await codes(taken)).toContain('fail LOCAL_PROVIDER')
    })

    it('recognizes the local provider of the running service', async () => {
      const place = {
        PORT: String(await freePort()),
        NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: String(await freePort()),
      }
      const running = await startDevelopment({
        env: { ...env, ...NONE, ...place },
        logger: () => createLogger('silent'),
        onProgress: () => {},
      })
      expect(await codes(place)).toContain('ok LOCAL_PROVIDER')
      await running.close()
    })

    it('does not check it when a provider is partially configured', async () => {
      const half = {
        NETSCRIPT_AUTH_REDIRECT_URI: env.NETSCRIPT_AUTH_REDIRECT_URI ?? '',
        NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: localPort(),
      }
      const found = await codes(half)
      expect(found).toContain('fail CONFIGURATION')
      expect(found.filter((line) => line.includes('LOCAL_PROVIDER'))).toEqual([])
    })
  })

  describe('on the command line', () => {
    it('exits with 0 when sign-in works, in 80 columns and without colour in a pipe', async () => {
      const { code, output } = await netscript(['doctor'])
      expect(code).toBe(0)
      expect(output).toMatch(/^0 failed, 2 to look at, \d+ ok$/m)
      expect(output.split('\n').filter((line) => line.length > 80)).toEqual([])
      expect(output).not.toContain('\u001b')
    })

    it('exits with 1 when something fails, and shows no secret', async () => {
      const over = {
        DATABASE_URL: `postgres://somebody:pass-word@127.0.0.1:${await freePort()}/auth`,
        NETSCRIPT_AUTH_ISSUER: `http://localhost:${await freePort()}`,
        NETSCRIPT_AUTH_AUDIT_SALT: 'too-short-but-secret',
      }
      const { code, output } = await netscript(['doctor', '--json'], over)
      expect(code).toBe(1)
      const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: { code: string }[] }
      expect(ok).toBe(false)
      expect(findings.map((finding) => finding.code)).toContain('PROVIDER_UNREACHABLE')
      const secrets = [
        ...Object.values(SECRETS).flatMap((value) => value.split(',')),
        'pass-word',
        'too-short-but-secret',
      ]
      for (const secret of secrets) expect(output).not.toContain(secret)
    })

    it('reports a wrong local clock', async () => {
      const { output } = await netscript(['doctor', '--json'], { FAULT_CLOCK_SHIFT_MS: '120000' }, [
        new URL('./faults/clock-shift.mjs', import.meta.url).pathname,
      ])
      const { findings } = JSON.parse(output) as {
        findings: { status: string; code: string; message: string }[]
      }
      const clock = findings.filter(({ code }) => code.startsWith('CLOCK'))
      expect(clock.map(({ status, message }) => `${status} ${message}`)).toEqual([
        expect.stringMatching(/^fail The clock of oidc is 1[12]\d s behind this machine\.$/),
        expect.stringMatching(
          /^fail The clock of the database is 1[12]\d s behind this machine\.$/,
        ),
      ])
    })

    it('applies the rules of production on request', async () => {
      const { code, output } = await netscript(['doctor', '--production'], { DATABASE_URL: '' })
      expect(code).toBe(1)
      expect(output).toMatch(/fail {2}CONFIGURATION: DATABASE_URL is not set\./)
      expect(output).not.toContain('netscript dev')
    })
  })
})
