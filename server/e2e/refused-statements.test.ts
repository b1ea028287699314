import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli, temporaryWorkspace } from '../cli/testing/run-cli.js'
import {
  AUDIENCE,
  type BackendUnderTest,
  BACKENDS_UNDER_TEST,
} from './support/backends-under-test.js'
import { completeLogin } from './support/oidc-login.js'
import { startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

type Ask = (agent: UserAgent, origin: string) => Promise<Response>

const get =
  (path: string): Ask =>
  (agent) =>
    agent.fetch(path)
const remove =
  (path: string): Ask =>
  (agent, origin) =>
    agent.fetch(path, { method: 'DELETE', headers: { origin } })
const post =
  (path: string, body: object = {}): Ask =>
  (agent) =>
    agent.post(path, body)

const SESSIONS: Record<string, Ask> = {
  me: get('/api/v1/auth/me'),
  session: get('/api/v1/auth/session'),
  sessions: get('/api/v1/auth/sessions'),
  'DELETE sessions': remove('/api/v1/auth/sessions'),
  'DELETE one session': remove(`/api/v1/auth/sessions/${'x'.repeat(43)}`),
  signout: post('/api/v1/auth/signout'),
  'signout everywhere': post('/api/v1/auth/signout', { everywhere: true }),
}
const TOKEN: Record<string, Ask> = { token: post('/api/v1/auth/token', { audience: AUDIENCE }) }
const PERSON = { email: `${randomUUID()}@example.com`, password: randomUUID(), name: 'Ada' }

/** What asks the database, by backend; WorkOS has sessions and users elsewhere. */
const ROUTES: Record<string, Record<string, Ask>> = {
  'kv-oauth': { ...SESSIONS, ...TOKEN, signin: post('/api/v1/auth/signin') },
  workos: TOKEN,
  'better-auth': {
    ...SESSIONS,
    ...TOKEN,
    'its get-session': get('/api/auth/get-session'),
    'its list-sessions': get('/api/auth/list-sessions'),
    'its sign-in': post('/api/auth/sign-in/email', PERSON),
    'its sign-up': post('/api/auth/sign-up/email', PERSON),
    'its sign-out': post('/api/auth/sign-out'),
    'its revoke-sessions': post('/api/auth/revoke-sessions'),
  },
}

/** Commands of an operator, which say what to do. */
const COMMANDS = [
  ['user', 'find', 'ada'],
  ['user', 'list'],
  ['user', 'show', 'id'],
  ['user', 'disable', 'id'],
  ['session', 'list', 'id'],
  ['session', 'revoke', 'x'.repeat(43)],
  ['session', 'revoke-all', 'id'],
]

/** A statement that breaks the database, and one that repairs it. */
const FAULTS: [name: string, breaks: string, repairs: string][] = [
  [
    'tables are missing',
    'ALTER SCHEMA public RENAME TO gone; CREATE SCHEMA public',
    'DROP SCHEMA public; ALTER SCHEMA gone RENAME TO public',
  ],
  ['columns are missing', rename('', '_old'), rename('_old', '')],
]

/** Renames a column of each table that reads and writes go to. */
function rename(from: string, to: string): string {
  const columns = {
    auth_keyv: 'value',
    auth_users: 'disabled_at',
    auth_accounts: 'subject',
    auth_provider_tokens: 'access_token',
    auth_signing_keys: 'generation',
    auth_sessions: 'expires_at',
    better_auth_users: 'email',
    auth_rate_limits: 'hits',
    auth_audit_events: 'type',
  }
  return Object.entries(columns)
    .map(
      ([table, column]) => `ALTER TABLE ${table} RENAME COLUMN ${column}${from} TO ${column}${to}`,
    )
    .join(';')
}

const NAMES = Object.keys(BACKENDS_UNDER_TEST)

describe.each(NAMES)('%s on a database that refuses statements', (name) => {
  let sut: BackendUnderTest
  let database: pg.Client
  beforeAll(async () => {
    sut = await BACKENDS_UNDER_TEST[name]!()
    database = new pg.Client({ connectionString: sut.databaseUrl })
    await database.connect()
  })
  afterAll(async () => {
    await database.end()
    await sut.close()
  })

  /** What asks the database, with a callback that only waits to be opened. */
  const routes = async (): Promise<Record<string, Ask>> => {
    if (name !== 'kv-oauth') return ROUTES[name]!
    const browser = createUserAgent(sut.origin)
    const { redirectUrl } = await startSignIn(browser)
    const callback = await completeLogin(redirectUrl, { login: 'ada' })
    const headers = { accept: 'application/json' }
    return { ...ROUTES[name], callback: () => browser.fetch(callback, { headers }) }
  }

  it.each(FAULTS)(
    'answers 500 while %s, never 503 nor anonymous',
    async (_what, breaks, repairs) => {
      const agent = await sut.signedIn()
      const asked = await routes()
      await database.query(breaks)
      const answers: Record<string, unknown> = {}
      for (const [route, ask] of Object.entries(asked)) {
        const response = await ask(agent, sut.origin)
        const body = await response.text()
        expect(body, route).not.toMatch(/auth_|relation|column|prisma/i)
        answers[route] = {
          status: response.status,
          code: (JSON.parse(body) as { code: string }).code,
        }
      }
      await database.query(repairs)
      for (const [route, answer] of Object.entries(answers)) {
        const own = route === 'its get-session' ? 'FAILED_TO_GET_SESSION' : 'INTERNAL'
        expect(answer, route).toEqual({ status: 500, code: own })
      }
      const me = await agent.fetch('/api/v1/auth/me')
      expect(await me.json()).toMatchObject({ authenticated: true })
    },
  )

  it.skipIf(name === 'workos')('is not reported as an outage by operator commands', async () => {
    const [, breaks, repairs] = FAULTS[0]!
    await database.query(breaks)
    const cwd = temporaryWorkspace()
    const env = { NETSCRIPT_AUTH_BACKEND: name, DATABASE_URL: sut.databaseUrl }
    for (const command of COMMANDS) {
      const { code, stderr } = await runCli(cwd, ['auth', ...command], env)
      expect(code, command.join(' ')).toBe(1)
      expect(stderr, command.join(' ')).toMatch(/tables are missing.*Run "netscript db migrate"/s)
      expect(stderr).not.toMatch(/is unavailable|does not respond|Try again/)
    }
    await database.query(repairs)
  })
})
