import { randomUUID } from 'node:crypto'
import { CookieJar } from 'tough-cookie'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseKeyring } from '../../backends/keyring.js'
import type { KvOAuthStores } from '../../backends/kv-oauth/session-store.js'
import { openStores } from '../../backends/kv-oauth/storage/stores.js'
import { describeWithRedis } from '../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import {
  startTestRedis,
  type TestRedis,
} from '../../backends/kv-oauth/storage/testing/redis-server.js'
import type { LinkedAccount, UnlinkedResponse } from '../../contract/accounts.js'
import { type AuthClientOptions, createAuthClient } from '../../client/index.js'
import { createPool } from '../../prisma/pool.js'
import type { PostgresPool } from '../../prisma/postgres-pool.js'
import { freePort } from '../local/loopback.js'
import { type DemoAccount, startLocalProvider } from '../local/provider.js'
import { completeLogin } from './support/oidc-login.js'
import { readBlocks, runBlock } from './support/readme-block.js'
import { startTestService, type TestService } from './support/service.js'
import { me, SESSION_COOKIE, signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'
const CLIENT = { clientId: 'second-client', clientSecret: 'second-secret' }

/** The accounts of both providers: anyone whose name the test makes up, and those that it refuses. */
const accountsFor = (names: readonly string[]): DemoAccount[] =>
  names.map((id) => ({ id, name: `Name of ${id}`, email: `${id}@example.test` }))

describe('linking with sessions in Postgres', () => linkingTests(() => undefined))

describeWithRedis('linking with sessions in Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startTestRedis()
  })
  afterAll(() => redis.close())
  linkingTests(() => redis.url)
})

function linkingTests(sessionStore: () => string | undefined): void {
  let service: TestService
  let second: Awaited<ReturnType<typeof startLocalProvider>>
  let pool: PostgresPool
  let stores: KvOAuthStores
  /** Each test has users of its own. */
  const NAMES = Array.from({ length: 120 }, () => `n${randomUUID().slice(0, 8)}`)
  let [ada, grace, other] = ['', '', '']

  beforeAll(async () => {
    const port = await freePort()
    const accounts = accountsFor(NAMES)
    second = await startLocalProvider({
      ...CLIENT,
      accounts: [
        ...accounts,
        { id: 'refused', name: 'Refused', email: 'refused@elsewhere.test' },
        { id: 'unverified', name: 'Ada', email: 'same@example.test', emailVerified: false },
      ],
      redirectUris: [`http://localhost:${port}${API}/callback/two`],
      postLogoutRedirectUris: [],
    })
    const store = sessionStore()
    service = await startTestService({
      port,
      callbackPath: `${API}/callback/one`,
      provider: {
        accounts: [...accounts, { id: 'same', name: 'Ada', email: 'same@example.test' }],
      },
      env: (local) => ({
        NETSCRIPT_AUTH_PROVIDERS: 'one,two',
        NETSCRIPT_AUTH_REDIRECT_URI: `http://localhost:${port}${API}/callback`,
        NETSCRIPT_AUTH_ONE_ISSUER: local.NETSCRIPT_AUTH_ISSUER ?? '',
        NETSCRIPT_AUTH_ONE_CLIENT_ID: local.NETSCRIPT_AUTH_CLIENT_ID ?? '',
        NETSCRIPT_AUTH_ONE_CLIENT_SECRET: local.NETSCRIPT_AUTH_CLIENT_SECRET ?? '',
        NETSCRIPT_AUTH_TWO_ISSUER: second.issuer,
        NETSCRIPT_AUTH_TWO_CLIENT_ID: CLIENT.clientId,
        NETSCRIPT_AUTH_TWO_CLIENT_SECRET: CLIENT.clientSecret,
        NETSCRIPT_AUTH_TWO_ALLOWED_SUBJECTS: [...NAMES, 'unverified'].join(),
        ...(store !== undefined && { NETSCRIPT_AUTH_SESSION_STORE: store }),
      }),
    })
    pool = createPool(service.databaseUrl)
    stores = await openStores({ pool, sessionStore: store })
  })
  afterAll(async () => {
    await stores.close()
    await pool.end()
    await service.close()
    await second.stop()
  })
  beforeEach(() => {
    ;[ada = '', grace = '', other = ''] = NAMES.splice(0, 3)
  })

  const browser = (): UserAgent => createUserAgent(service.origin)
  /** A browser that has signed in at one of the providers. */
  const signedIn = async (login: string, providerId = 'one'): Promise<UserAgent> => {
    const agent = browser()
    expect((await signIn(agent, login, { providerId })).status).toBe(303)
    return agent
  }
  /** Starts to link an account at the second provider; returns the callback, unopened. */
  const startLink = async (agent: UserAgent, login: string): Promise<string> => {
    const { redirectUrl } = await startSignIn(agent, { providerId: 'two', link: true })
    return completeLogin(redirectUrl, { login })
  }
  const link = async (agent: UserAgent, login: string): Promise<Response> =>
    agent.fetch(await startLink(agent, login))
  /** A browser signed in with an account at the first provider, and one at the second linked. */
  const linked = async (first: string, then: string): Promise<UserAgent> => {
    const agent = await signedIn(first)
    expect((await link(agent, then)).status).toBe(303)
    return agent
  }
  const accountsOf = async (agent: UserAgent): Promise<LinkedAccount[]> => {
    const response = await agent.fetch(`${API}/accounts`)
    expect(response.status).toBe(200)
    return ((await response.json()) as { accounts: LinkedAccount[] }).accounts
  }
  const unlink = (agent: UserAgent, { id }: LinkedAccount): Promise<Response> =>
    agent.fetch(`${API}/accounts/${id}`, {
      method: 'DELETE',
      headers: { origin: service.origin },
    })
  const ownerOf = async (subject: string, issuer = second.issuer): Promise<string | undefined> => {
    const { rows } = await pool.query<{ user_id: string }>(
      'SELECT user_id FROM auth_accounts WHERE subject = $1 AND issuer = $2',
      [subject, issuer],
    )
    return rows[0]?.user_id
  }
  const rows = async (): Promise<unknown> =>
    (
      await pool.query(
        `SELECT (SELECT count(*)::int FROM auth_users) AS users,
           (SELECT count(*)::int FROM auth_accounts) AS accounts`,
      )
    ).rows
  const codeOf = async (response: Response): Promise<unknown> => [
    response.status,
    ((await response.json()) as { code?: string }).code,
  ]

  it('adds an account to the user; the session stays, and both accounts sign in', async () => {
    const agent = await signedIn(ada)
    const before = { me: await me(agent), cookies: await agent.cookies(API) }
    const { redirectUrl } = await startSignIn(agent, { providerId: 'two', link: true })
    const { searchParams } = new URL(redirectUrl)
    expect(searchParams.get('prompt')).toBe('select_account')
    expect(searchParams.has('login_hint')).toBe(false)
    const answer = await agent.fetch(await completeLogin(redirectUrl, { login: grace }))
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `${service.origin}/`])
    expect({ me: await me(agent), cookies: await agent.cookies(API) }).toEqual(before)
    expect(await accountsOf(agent)).toMatchObject([
      { providerId: 'one', subject: ada, current: true },
      { providerId: 'two', subject: grace, current: false },
    ])
    const elsewhere = await signedIn(grace, 'two')
    expect((await me(elsewhere)).user.id).toBe(before.me.user.id)
    expect(await accountsOf(elsewhere)).toMatchObject([{ current: false }, { current: true }])
    const { rows: events } = await pool.query(
      `SELECT type, provider_id FROM auth_audit_events
       WHERE session_id = $1 AND type LIKE 'account.%'`,
      [before.me.session.id],
    )
    expect(events).toEqual([{ type: 'account.linked', provider_id: 'two' }])
  })

  it('asks for the account even if the browser is signed in at the provider', async () => {
    const cookieJar = new CookieJar()
    const first = await startSignIn(browser(), { providerId: 'two' })
    await completeLogin(first.redirectUrl, { login: ada, cookieJar })
    const agent = await signedIn(ada)
    const { redirectUrl } = await startSignIn(agent, { providerId: 'two', link: true })
    await agent.fetch(await completeLogin(redirectUrl, { login: grace, cookieJar }))
    expect(await accountsOf(agent)).toMatchObject([{ subject: ada }, { subject: grace }])
  })

  it('changes nothing when the account is linked already, also the one of the session', async () => {
    const agent = await linked(ada, grace)
    const accounts = await accountsOf(agent)
    expect((await link(agent, grace)).status).toBe(303)
    const { redirectUrl } = await startSignIn(agent, { providerId: 'one', link: true })
    expect((await agent.fetch(await completeLogin(redirectUrl, { login: ada }))).status).toBe(303)
    expect(await accountsOf(agent)).toEqual(accounts)
  })

  it('keeps the tokens of the linked account beside those of the session, until it is removed', async () => {
    const agent = await linked(ada, grace)
    const { session } = await me(agent)
    const tokens = stores.tokens(parseKeyring(service.key))
    const held = { id: session.id, providerId: 'one' }
    const own = await tokens.read(held, 'one')
    const [first, account] = await accountsOf(agent)
    expect([...(await tokens.readLinked(held)).keys()]).toEqual(['two'])
    expect(own?.accessToken).toBeDefined()
    expect((await unlink(agent, account!)).status).toBe(200)
    expect((await tokens.readLinked(held)).size).toBe(0)
    expect(await tokens.read(held, 'one')).toEqual(own)
    expect(await accountsOf(agent)).toEqual([first])
  })

  it('links by account only: one with the same address is another user until it is linked', async () => {
    const agent = await signedIn('same')
    const { user } = await me(agent)
    const apart = await signedIn('unverified', 'two')
    expect((await me(apart)).user).toMatchObject({
      email: 'same@example.test',
      emailVerified: false,
    })
    expect((await me(apart)).user.id).not.toBe(user.id)
    expect(await codeOf(await link(agent, 'unverified'))).toEqual([409, 'AUTH_ACCOUNT_CONFLICT'])
    expect((await me(agent)).user).toEqual(user)
  })

  describe('is refused with AUTH_SESSION_CHANGED, and nothing is written, if at the callback', () => {
    const swaps: Record<string, (agent: UserAgent, userId: string) => Promise<unknown>> = {
      'the user has signed out': (agent) => agent.post(`${API}/signout`),
      'the session was ended on another device': (_agent, userId) =>
        stores.sessions.revokeByUser(userId, 'revoked-by-owner'),
      'the same user has signed in again': (agent) => signIn(agent, ada, { providerId: 'one' }),
      'another user has signed in': (agent) => signIn(agent, other, { providerId: 'one' }),
      'the browser has the session cookie of another user': async (agent) => {
        const theirs = await signedIn(other)
        const { [SESSION_COOKIE]: value = '' } = await theirs.cookies(API)
        const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax'
        await agent.jar.setCookie(`${SESSION_COOKIE}=${value}; ${attributes}`, 'https://localhost/')
      },
      'the browser has lost the session cookie': (agent) =>
        agent.jar.setCookie(
          `${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; Max-Age=0`,
          'https://localhost/',
        ),
      'the user is disabled': (_agent, userId) => stores.users.disable(userId),
      'the user is deleted': (_agent, userId) => stores.users.delete(userId),
    }
    it.each(Object.entries(swaps))('%s', async (_what, swap) => {
      const agent = await signedIn(ada)
      const { user } = await me(agent)
      const callback = await startLink(agent, grace)
      await swap(agent, user.id)
      const before = await rows()
      expect(await codeOf(await agent.fetch(callback))).toEqual([409, 'AUTH_SESSION_CHANGED'])
      expect(await ownerOf(grace)).toBeUndefined()
      expect(await rows()).toEqual(before)
    })
  })

  it('does nothing in another browser: a link that an attacker started links nothing', async () => {
    const [attacker, victim] = [await signedIn(ada), await signedIn(other)]
    const callback = await startLink(attacker, grace)
    const answer = await victim.fetch(callback, { headers: { accept: 'application/json' } })
    expect(await codeOf(answer)).toEqual([400, 'AUTH_TRANSACTION_MISSING'])
    expect(await ownerOf(grace)).toBeUndefined()
    expect(await accountsOf(victim)).toHaveLength(1)
  })

  it('does not link for a page of another site, nor for an anonymous caller', async () => {
    const agent = await signedIn(ada)
    const body = { providerId: 'two', link: true }
    const origin = 'https://evil.example'
    const foreign = await agent.post(`${API}/signin`, body, { origin })
    expect(await codeOf(foreign)).toEqual([403, 'ORIGIN_NOT_ALLOWED'])
    expect(await codeOf(await browser().post(`${API}/signin`, body))).toEqual([401, 'UNAUTHORIZED'])
  })

  it('refuses an account of another user, and changes neither', async () => {
    const [agent, owner] = [await signedIn(ada), await signedIn(grace, 'two')]
    expect(await codeOf(await link(agent, grace))).toEqual([409, 'AUTH_ACCOUNT_CONFLICT'])
    expect(await accountsOf(agent)).toHaveLength(1)
    expect(await ownerOf(grace)).toBe((await me(owner)).user.id)
    expect((await me(owner)).authenticated).toBe(true)
  })

  it('refuses an account that may not sign in, and the session stays', async () => {
    const agent = await signedIn(ada)
    expect(await codeOf(await link(agent, 'refused'))).toEqual([403, 'AUTH_NOT_ADMITTED'])
    expect(await ownerOf('refused')).toBeUndefined()
    expect((await me(agent)).authenticated).toBe(true)
  })

  it('links an account to exactly one of two users at once', async () => {
    const agents = [await signedIn(ada), await signedIn(other)]
    const callbacks: string[] = []
    for (const agent of agents) callbacks.push(await startLink(agent, grace))
    const answers = await Promise.all(agents.map((agent, n) => agent.fetch(callbacks[n]!)))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409])
    const winner = agents[answers.findIndex(({ status }) => status === 303)]!
    expect(await ownerOf(grace)).toBe((await me(winner)).user.id)
  })

  it('links an account once for two tabs of one user at once', async () => {
    const agent = await signedIn(ada)
    const callbacks = [await startLink(agent, grace), await startLink(agent, grace)]
    const answers = await Promise.all(callbacks.map((callback) => agent.fetch(callback)))
    expect(answers.map(({ status }) => status)).toEqual([303, 303])
    expect(await accountsOf(agent)).toHaveLength(2)
  })

  it('removes an account and ends its sessions in every browser, but not the others', async () => {
    const agent = await linked(ada, grace)
    const [byFirst, bySecond] = [await signedIn(ada), await signedIn(grace, 'two')]
    const [, account] = await accountsOf(agent)
    const answer = await unlink(agent, account!)
    expect(await answer.json()).toEqual({ unlinked: true, revoked: 1, signedOut: false })
    expect((await me(bySecond)).authenticated).toBe(false)
    expect((await me(byFirst)).authenticated).toBe(true)
    expect((await me(agent)).authenticated).toBe(true)
    const again = await signedIn(grace, 'two')
    expect((await me(again)).user.id).not.toBe((await me(agent)).user.id)
  })

  it('signs out a session whose own account is removed', async () => {
    const agent = await linked(ada, grace)
    const [account] = await accountsOf(agent)
    const answer = await unlink(agent, account!)
    expect((await answer.json()) as UnlinkedResponse).toMatchObject({ signedOut: true })
    expect(await agent.cookies(API)).not.toHaveProperty(SESSION_COOKIE)
    expect((await me(await signedIn(grace, 'two'))).authenticated).toBe(true)
  })

  it('keeps the last account, also when both are removed at once', async () => {
    const agent = await linked(ada, grace)
    const other = await signedIn(grace, 'two')
    const accounts = await accountsOf(agent)
    const answers = await Promise.all([unlink(agent, accounts[1]!), unlink(other, accounts[0]!)])
    // The second one finds its session ended or one account left.
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect([401, 409]).toContain(statuses.find((status) => status !== 200))
    const { rows } = await pool.query('SELECT FROM auth_accounts WHERE id = ANY($1)', [
      accounts.map(({ id }) => id),
    ])
    expect(rows).toHaveLength(1)
    const left = statuses[0] === 200 ? agent : other
    const [last] = await accountsOf(left)
    expect(await codeOf(await unlink(left, last!))).toEqual([409, 'AUTH_LAST_ACCOUNT'])
  })

  it('leaves no session of the user when an account signs in while it is removed', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [first = '', then = ''] = NAMES.splice(0, 2)
      const agent = await linked(first, then)
      const { user } = await me(agent)
      const [, account] = await accountsOf(agent)
      const arriving = browser()
      const { redirectUrl } = await startSignIn(arriving, { providerId: 'two' })
      const callback = await completeLogin(redirectUrl, { login: then })
      const [answer, removed] = await Promise.all([
        arriving.fetch(callback),
        unlink(agent, account!),
      ])
      expect(removed.status).toBe(200)
      // Refused, ended by the removal, or a new user after it.
      expect([303, 409]).toContain(answer.status)
      const now = await me(arriving)
      expect(now.authenticated && now.user.id).not.toBe(user.id)
    }
  })

  it('removes no account of another user', async () => {
    const [agent, owner] = [await linked(ada, grace), await signedIn(other)]
    const [, account] = await accountsOf(agent)
    expect(await codeOf(await unlink(owner, account!))).toEqual([404, 'NOT_FOUND'])
    expect(await accountsOf(agent)).toHaveLength(2)
  })

  it('works as the guide says', async () => {
    const agent = await signedIn(ada)
    let left = ''
    const [block = ''] = await readBlocks('backends/kv-oauth/LINKING.md')
    const guide = await runBlock(block, {
      modules: {
        '@netscript/auth-client': {
          createAuthClient: (options: AuthClientOptions) =>
            createAuthClient({
              ...options,
              fetch: (url, init) => agent.fetch(url, init),
              navigate: (url) => void (left = url),
            }),
        },
      },
      given: { AUTH_API: service.origin },
      wanted: ['addAccount', 'removeAccount'],
    })
    const { addAccount, removeAccount } = guide as Record<string, (id: string) => Promise<void>>
    await addAccount!('two')
    const callback = await completeLogin(left, { login: grace })
    expect((await agent.fetch(callback)).headers.get('location')).toBe(`${service.origin}/account`)
    const [own, added] = await accountsOf(agent)
    await removeAccount!(added!.id)
    expect(await accountsOf(agent)).toEqual([own])

    const session = await stores.sessions.get((await me(agent)).session.id)
    const then = session!.issuedAt - 600_000
    const aged = { ...session!, issuedAt: then, authTime: then, version: session!.version + 1 }
    expect(await stores.sessions.extend(aged, 'used')).toBe(true)
    await addAccount!('two')
    const { origin, searchParams } = new URL(left)
    expect(origin).toBe(service.provider.issuer)
    expect(searchParams.get('max_age')).toBe('300')
    await expect(removeAccount!(own!.id)).resolves.toBeUndefined()
    expect(await accountsOf(agent)).toEqual([own])
  })
}
