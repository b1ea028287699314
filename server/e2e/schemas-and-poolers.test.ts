import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { signUp } from '../../backends/better-auth/testing/sign-up.js'
import { createPool } from '../../prisma/pool.js'
import {
  describeWithPgBouncer,
  startPgBouncer,
} from '../../backends/kv-oauth/storage/testing/pgbouncer.js'
import {
  ABROAD,
  createPlacedDatabase,
  type Place,
} from '../../backends/kv-oauth/storage/testing/placed-database.js'
import type { TestDatabase } from '../../prisma/test-database.js'
import { runCli, temporaryWorkspace } from '../cli/testing/run-cli.js'
import { readConfig } from '../config/config.js'
import { freePort } from '../local/loopback.js'
import { createLogger } from '../log.js'
import { createAuthService } from '../service.js'
import { startTestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const AUDIENCE = 'https://orders.example'
const SIGN_INS = 8

describe.each<[string, Place]>([
  [
    'the schema app of the search_path of a role that may use no other',
    { ownRole: true, settings: { ...ABROAD, search_path: 'app' }, schema: 'app' },
  ],
  [
    'the schema app of options= in the URL',
    { parameters: { options: '-c search_path=app' }, schema: 'app' },
  ],
  ['public, with one connection by connection_limit=', { parameters: { connection_limit: '1' } }],
  ['the schema app of schema= in the URL', { parameters: { schema: 'app' }, schema: 'app' }],
])('the tables in %s', (_name, place) => wholeLife(() => place))

describeWithPgBouncer('through PgBouncer in transaction mode', () => {
  let [refusing, ignoring]: Awaited<ReturnType<typeof startPgBouncer>>[] = []
  beforeAll(async () => {
    refusing = await startPgBouncer()
    ignoring = await startPgBouncer({ ignore_startup_parameters: 'options' })
  })
  afterAll(() => Promise.all([refusing?.close(), ignoring?.close()]))
  const throughRefusing = (url: string): string => refusing!.url(url)
  const throughIgnoring = (url: string): string => ignoring!.url(url)
  const told = { pgbouncer: 'true' }

  describe.each<[string, Place]>([
    ['with pgbouncer=true', { parameters: told, settings: ABROAD, through: throughRefusing }],
    ['detected, when it refuses options', { settings: ABROAD, through: throughRefusing }],
    ['detected, when it ignores options', { settings: ABROAD, through: throughIgnoring }],
    [
      'with the search_path of the database',
      { settings: { ...ABROAD, search_path: 'app' }, schema: 'app', through: throughRefusing },
    ],
    [
      'with options= in the URL',
      {
        parameters: { ...told, options: '-c search_path=app' },
        schema: 'app',
        through: throughRefusing,
      },
    ],
    [
      'with schema= in the URL, detected',
      { parameters: { schema: 'app' }, schema: 'app', through: throughIgnoring },
    ],
  ])('%s', (_name, place) => wholeLife(() => place))
})

/** What users and operators do, over HTTP and on the command line. */
function wholeLife(placeOf: () => Place): void {
  const openDatabase = (): Promise<TestDatabase> => createPlacedDatabase(placeOf())

  it('kv-oauth signs in, reads, renews, lists and signs out, and operators see and end it', async () => {
    const database = await openDatabase()
    const service = await startTestService({
      database,
      env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE },
    })
    onTestFinished(() => service.close())
    const agents = Array.from({ length: SIGN_INS }, () => createUserAgent(service.origin))
    const callbacks = await Promise.all(agents.map((agent) => signIn(agent, 'ada')))
    expect(callbacks.map(({ status }) => status)).toEqual(agents.map(() => 303))
    const everyMe = await Promise.all(agents.map(me))
    const [first, second] = [agents[0]!, agents[1]!]
    const { user, session } = everyMe[0]!
    for (const answer of everyMe) expect(answer).toMatchObject({ authenticated: true, user })
    expect(Math.abs(Date.parse(session.issuedAt) - Date.now())).toBeLessThan(120_000)
    expect(await sessionIds(first)).toEqual(everyMe.map((one) => one.session.id).sort())

    const token = await first.post('/api/v1/auth/token', { audience: AUDIENCE })
    expect(token.status).toBe(200)
    await service.restart()
    expect((await me(first)).user.id).toBe(user.id)

    const cli = commands(database)
    expect((await cli('auth', 'user', 'find', 'ada@')).stdout).toContain(user.id)
    const revoked = await cli('auth', 'session', 'revoke', everyMe[1]!.session.id)
    expect(revoked).toEqual({ code: 0, stdout: 'Ended.\n', stderr: '' })
    expect((await me(second)).authenticated).toBe(false)
    expect(await sessionIds(first)).toHaveLength(SIGN_INS - 1)

    const signedOut = await first.post('/api/v1/auth/signout', { everywhere: true })
    expect(signedOut.status).toBe(200)
    const states = (await Promise.all(agents.map(me))).map(({ authenticated }) => authenticated)
    expect(states).toEqual(agents.map(() => false))

    expect(await events(database)).toMatchObject({
      'sign-in.completed': SIGN_INS,
      'session.revoked': 1,
      'token.issued': 1,
    })
    expect(
      service.log.filter((line) => (JSON.parse(line) as { level: number }).level > 40),
    ).toEqual([])
    await expectOneSchema(database, placeOf())
  })

  it('better-auth signs up, in and out, and operators see and end it', async () => {
    const database = await openDatabase()
    const port = await freePort()
    const origin = `http://localhost:${port}`
    const env = {
      PORT: String(port),
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
      BETTER_AUTH_SECRET: randomBytes(32).toString('base64url'),
    }
    const log: string[] = []
    const service = await createAuthService({
      config: readConfig(env, { production: false }),
      env,
      logger: createLogger('error', { write: (line: string) => void log.push(line) }),
      databaseUrl: database.url,
    })
    onTestFinished(async () => {
      await service.close()
      await database.drop()
    })
    const people = await Promise.all(Array.from({ length: 3 }, () => signUp({ origin })))
    const [person] = people as [(typeof people)[number]]
    const read = async (path: string): Promise<Record<string, unknown>> => {
      const response = await person.fetch(`/api/v1/auth${path}`)
      expect(response.status, path).toBe(200)
      return (await response.json()) as Record<string, unknown>
    }
    expect(await read('/me')).toMatchObject({ authenticated: true, user: { id: person.userId } })
    expect((await person.client.getSession()).data?.user.email).toBe(person.email)
    expect((await person.client.signOut()).error).toBeNull()
    expect(await read('/me')).toEqual({ authenticated: false })
    const { data } = await person.client.signIn.email(person.credentials)
    expect(data?.user.id).toBe(person.userId)
    const { sessions } = (await read('/sessions')) as {
      sessions: { session: { issuedAt: string } }[]
    }
    expect(sessions).toHaveLength(1)
    expect(Math.abs(Date.parse(sessions[0]!.session.issuedAt) - Date.now())).toBeLessThan(120_000)

    const cli = commands(database, env)
    expect((await cli('auth', 'session', 'list', person.userId)).stdout).toContain('better-auth')
    expect(await cli('auth', 'user', 'disable', person.userId)).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await read('/me')).toEqual({ authenticated: false })
    expect((await person.client.signIn.email(person.credentials)).error?.status).toBe(403)

    const other = people[1]!
    expect((await other.fetch('/api/v1/auth/signout', { method: 'POST' })).status).toBe(200)
    const after = await other.fetch('/api/v1/auth/me')
    expect(await after.json()).toEqual({ authenticated: false })
    expect(log).toEqual([])
    await expectOneSchema(database, placeOf())
  })
}

/** `netscript` on the database. */
function commands({ url }: TestDatabase, env: Record<string, string> = {}) {
  const cwd = temporaryWorkspace()
  return (...args: string[]) => runCli(cwd, args, { ...env, DATABASE_URL: url })
}

async function sessionIds(agent: UserAgent): Promise<string[]> {
  const response = await agent.fetch('/api/v1/auth/sessions')
  expect(response.status).toBe(200)
  const { sessions } = (await response.json()) as { sessions: { session: { id: string } }[] }
  return sessions.map(({ session }) => session.id).sort()
}

async function events({ url }: TestDatabase): Promise<Record<string, number>> {
  const pool = createPool(url)
  const { rows } = await pool.query<{ type: string; count: number }>(
    'SELECT type, count(*)::int FROM auth_audit_events GROUP BY type',
  )
  await pool.end()
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
}

async function expectOneSchema({ url }: TestDatabase, { schema = 'public' }: Place): Promise<void> {
  const pool = createPool(url)
  const { rows } = await pool.query(
    `SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ '^(better_)?auth_|^_prisma'`,
  )
  await pool.end()
  expect(rows).toEqual([{ schemaname: schema }])
}
