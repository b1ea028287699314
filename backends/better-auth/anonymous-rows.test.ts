import { emailOTP, magicLink } from 'better-auth/plugins'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer } from './testing/server.js'
import { openBrowser } from './testing/sign-up.js'

/** The longest field that fits into an accepted body. */
const LONG = 'x'.repeat(15_000)
const email = () => `${crypto.randomUUID()}@example.com`
const password = 'a-long-password'

/** Requests of an anonymous caller that make better-auth store a row. */
const REQUESTS: [what: string, path: string, body: () => object, status: number][] = [
  [
    'a sign-in at a provider',
    'sign-in/social',
    () => ({ provider: 'github', callbackURL: `/${'x'.repeat(1_900)}` }),
    200,
  ],
  [
    'a sign-in at a provider with large additional data',
    'sign-in/social',
    () => ({ provider: 'github', additionalData: { note: LONG } }),
    413,
  ],
  [
    'a sign-in at a provider with many additional data',
    'sign-in/social',
    () => ({
      provider: 'github',
      additionalData: Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`key${at}`, at])),
    }),
    413,
  ],
  [
    'a sign-in at a provider with three long return addresses',
    'sign-in/social',
    () => ({
      provider: 'github',
      callbackURL: `/${'x'.repeat(1_900)}`,
      errorCallbackURL: `/${'x'.repeat(1_900)}`,
      newUserCallbackURL: `/${'x'.repeat(1_900)}`,
    }),
    413,
  ],
  ['a magic link', 'sign-in/magic-link', () => ({ email: email(), name: 'Ada' }), 200],
  [
    'a magic link with a long name',
    'sign-in/magic-link',
    () => ({ email: email(), name: LONG }),
    413,
  ],
  [
    'a code by e-mail',
    'email-otp/send-verification-otp',
    () => ({ email: email(), type: 'sign-in' }),
    200,
  ],
  [
    'a password reset of an unknown user',
    'request-password-reset',
    () => ({ email: email(), redirectTo: `/${'x'.repeat(1_900)}` }),
    200,
  ],
  ['a sign-up', 'sign-up/email', () => ({ email: email(), password, name: 'Ada' }), 200],
  [
    'a sign-up with a long name',
    'sign-up/email',
    () => ({ email: email(), password, name: LONG }),
    413,
  ],
  [
    'a sign-up with a long image',
    'sign-up/email',
    () => ({ email: email(), password, name: 'Ada', image: LONG }),
    413,
  ],
  [
    'a body over 16 kB',
    'sign-in/social',
    () => ({ provider: 'github', additionalData: { note: 'x'.repeat(16 * 1024) } }),
    413,
  ],
]

const TABLES = ['auth_verifications', 'better_auth_users', 'better_auth_accounts', 'auth_sessions']
/** Accounts do not expire. */
const EXPIRING = new Set(['auth_verifications', 'auth_sessions'])

describe('rows that an anonymous caller can create', () => {
  const start = () =>
    startTestServer({
      plugins: [
        magicLink({ sendMagicLink: () => undefined }),
        emailOTP({ sendVerificationOTP: () => Promise.resolve() }),
      ],
      betterAuthOptions: {
        socialProviders: { github: { clientId: 'id', clientSecret: 'secret' } },
        emailAndPassword: { enabled: true, sendResetPassword: () => Promise.resolve() },
      },
    })
  let server: Awaited<ReturnType<typeof start>>
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.close())

  it.each(REQUESTS)(
    '%s creates a small row that expires, or none',
    async (_, path, body, status) => {
      for (const table of [...TABLES].reverse()) await server.pool.query(`DELETE FROM ${table}`)
      const browser = openBrowser({ origin: server.origin, userAgent: 'x'.repeat(8_000) })
      const response = await browser.fetch(`/api/auth/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body()),
      })
      expect(response.status).toBe(status)
      for (const table of TABLES) {
        const { rows } = await server.pool.query<{ size: number; expires_at?: Date }>(
          `SELECT length(kept::text) AS size, kept.* FROM ${table} AS kept`,
        )
        expect(rows.length).toBeLessThanOrEqual(status === 200 ? 1 : 0)
        for (const { size, expires_at } of rows) {
          expect(size).toBeLessThan(5_000)
          if (EXPIRING.has(table)) expect(expires_at).toBeInstanceOf(Date)
        }
      }
    },
  )

  it('are rate limited by client network on each of these routes', async () => {
    const limited = await startTestServer({
      betterAuthOptions: {
        rateLimit: { enabled: true },
        socialProviders: { github: { clientId: 'id', clientSecret: 'secret' } },
      },
    })
    const browser = openBrowser(limited)
    const statuses: number[] = []
    for (let count = 0; count < 22; count += 1) {
      const { status } = await browser.fetch('/api/auth/sign-in/social', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ provider: 'github' }),
      })
      statuses.push(status)
    }
    expect(statuses).toEqual([...Array<number>(20).fill(200), 429, 429])
    expect(await limited.prisma.authVerification.count()).toBe(20)
    await limited.close()
  })

  it('store a truncated user agent', async () => {
    const userAgent = `agent-${'x'.repeat(8_000)}`
    const browser = openBrowser({ origin: server.origin, userAgent })
    const credentials = { email: email(), password, name: 'Ada' }
    const { data } = await browser.client.signUp.email(credentials)
    await browser.client.signIn.email(credentials)
    const sessions = await server.prisma.authSession.findMany({
      where: { userId: data?.user.id ?? '' },
    })
    expect(sessions.map((session) => session.userAgent)).toEqual(
      Array(2).fill(userAgent.slice(0, 256)),
    )
  })
})
