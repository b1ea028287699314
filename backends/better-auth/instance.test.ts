import { bearer, customSession, magicLink, type organization, username } from 'better-auth/plugins'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { toAuthnRequest } from '../request.js'
import { createBetterAuthBackend } from './backend.js'
import { createNetscriptBetterAuth, type NetscriptBetterAuth } from './instance.js'
import { startTestServer, type TestServer } from './testing/server.js'
import { openBrowser, signUp } from './testing/sign-up.js'

const field = { type: 'string', required: false } as const

describe('createNetscriptBetterAuth', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const create = (options: Partial<Parameters<typeof createNetscriptBetterAuth>[0]> = {}) =>
    createNetscriptBetterAuth({
      prisma: server.prisma,
      secret: server.secret,
      baseURL: server.origin,
      ...options,
    })

  it('has safe defaults', async () => {
    const { options } = await create()
    expect(options).toMatchObject({
      basePath: '/api/auth',
      emailAndPassword: { enabled: true },
      telemetry: { enabled: false },
      rateLimit: { enabled: true },
      account: { accountLinking: { enabled: false } },
      advanced: { disableOriginCheck: false },
      user: { modelName: 'betterAuthUser' },
      session: { modelName: 'authSession' },
    })
    expect(options.session).not.toHaveProperty('cookieCache')
  })

  it('merges given sections over defaults, its own options over those, and the database over all', async () => {
    const rogue = { database: { fake: true }, plugins: [bearer()] }
    const { options, $context } = await create({
      basePath: '/explicit',
      trustedOrigins: ['https://explicit.example'],
      betterAuthOptions: {
        appName: 'Mine',
        basePath: '/passed-on',
        secret: 'x'.repeat(40),
        baseURL: 'https://passed-on.example',
        trustedOrigins: ['https://passed-on.example'],
        session: { expiresIn: 1000 },
        emailAndPassword: { enabled: true, minPasswordLength: 12 },
        account: { accountLinking: { enabled: true } },
        ...rogue,
      },
    })
    expect(options).toMatchObject({
      appName: 'Mine',
      basePath: '/explicit',
      baseURL: server.origin,
      secret: server.secret,
      trustedOrigins: ['https://explicit.example'],
      session: { expiresIn: 1000, modelName: 'authSession' },
      emailAndPassword: { minPasswordLength: 12 },
      account: { accountLinking: { enabled: true }, modelName: 'betterAuthAccount' },
      plugins: [{ id: 'netscript-auth' }],
    })
    expect((await $context).adapter.id).toBe('prisma')
    const passedOn = await create({ betterAuthOptions: { basePath: '/passed-on' } })
    expect(passedOn.options.basePath).toBe('/passed-on')
  })

  it.each([
    [{ secret: 'x'.repeat(31) }, /`secret`.*at least 32 characters/],
    [{ baseURL: 'auth.example.com' }, /`baseURL`/],
    [{ baseURL: 'ftp://auth.example.com' }, /`baseURL`/],
    [{ betterAuthOptions: { session: { cookieCache: { enabled: true } } } }, /cookieCache/],
    [
      {
        betterAuthOptions: {
          secondaryStorage: {
            get: () => null,
            set: () => undefined,
            delete: () => undefined,
            increment: () => 1,
            getAndDelete: () => null,
          },
        },
      },
      /secondaryStorage/,
    ],
  ])('rejects %j', async (options, message) => {
    const failure = await create(options).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthConfigurationError)
    expect((failure as Error).message).toMatch(message)
  })

  const granting: [model: 'user' | 'session', name: string][] = [
    ['user', 'role'],
    ['user', 'roles'],
    ['user', 'permissions'],
    ['session', 'roles'],
    ['session', 'permissions'],
    ['session', 'activeOrganizationRole'],
    ['session', 'activeOrganizationRoles'],
    ['session', 'activeOrganizationPermissions'],
  ]
  it.each(granting)('rejects the field %s.%s if users can set it', async (model, name) => {
    const failure = async (options: Parameters<typeof create>[0]): Promise<unknown> =>
      create(options).catch((error: unknown) => (error as Error).message)
    const message = expect.stringMatching(
      new RegExp(`^\\\`${model}\\.additionalFields\\.${name}\\\` .*Add \\\`input: false\\\``),
    ) as unknown
    const passed = (input?: boolean) => ({
      betterAuthOptions: {
        [model]: {
          additionalFields: { [name]: { ...field, ...(input !== undefined && { input }) } },
        },
      },
    })
    const plugin = { id: 'x', schema: { [model]: { fields: { [name]: field } } } }
    expect(await failure(passed())).toEqual(message)
    expect(await failure(passed(true))).toEqual(message)
    expect(await failure({ plugins: [plugin] })).toEqual(message)
    // The remaining error is that this database has no such column.
    expect(await failure(passed(false))).toMatch(/Add it to prisma\/schema/)
  })

  it('rejects a plugin with missing columns, and names them', async () => {
    const failure = await create({ plugins: [username()] }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AuthConfigurationError)
    expect((failure as Error).message).toMatch(/Add it to prisma\/schema.*displayUsername/s)
  })

  it.each([
    [{}, 60_480],
    [{ expiresIn: 60 }, 6],
    [{ expiresIn: 600, updateAge: 30 }, 30],
    [{ expiresIn: 600, updateAge: 300 }, 60],
    [{ updateAge: 0 }, 0],
  ])(
    'extends a session that is used at least ten times in its lifetime: %j',
    async (session, age) => {
      const { options } = await create({ betterAuthOptions: { session } })
      expect(options.session).toMatchObject({ ...session, updateAge: age })
    },
  )

  it('rejects an updateAge that sessions never reach', async () => {
    const session = { expiresIn: 60, updateAge: 60 }
    await expect(create({ betterAuthOptions: { session } })).rejects.toThrow(/session\.updateAge/)
  })

  it('sets Secure cookies under https', async () => {
    const auth = await create({ baseURL: 'https://auth.example.com' })
    const { authCookies } = await auth.$context
    expect(authCookies.sessionToken).toMatchObject({
      name: '__Secure-better-auth.session_token',
      attributes: { secure: true, httpOnly: true, sameSite: 'lax' },
    })
  })

  it('preserves the types of plugins and options', () => {
    type Plugins = [ReturnType<typeof username>, ReturnType<typeof organization>]
    type Made = NetscriptBetterAuth<Plugins>
    expectTypeOf(createNetscriptBetterAuth<Plugins>).returns.resolves.toEqualTypeOf<Made>()
    expectTypeOf<Made['api']>().toHaveProperty('signInUsername')
    expectTypeOf<Made['api']>().toHaveProperty('createOrganization')
    expectTypeOf<Made['api']>().toHaveProperty('getSession')
    expectTypeOf<NetscriptBetterAuth['api']>().not.toHaveProperty('signInUsername')
  })

  it('serves the endpoints of plugins, and HEAD and prefetch do not consume their links', async () => {
    const sent: string[] = []
    const plugins = [magicLink({ sendMagicLink: ({ url }) => void sent.push(url) })]
    const other = await startTestServer({ plugins })
    await other.auth.api.signInMagicLink({
      body: { email: 'new@example.com', callbackURL: '/' },
      headers: new Headers(),
    })
    const browser = openBrowser(other)
    const link = sent[0] ?? expect.fail('no link was sent')
    // Mail scanners and browsers fetch the link before the user opens it, and must not consume it.
    expect((await browser.fetch(link, { method: 'HEAD' })).status).toBe(404)
    for (const headers of [{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }]) {
      expect((await browser.fetch(link, { headers })).status).toBe(503)
    }
    await browser.fetch(link)
    const result = await other.backend.authenticate(await browser.request())
    expect(result).toMatchObject({ ok: true, user: { email: 'new@example.com' } })
    await other.close()
  })

  it('does not let a plugin read the identity from another header', async () => {
    const other = await startTestServer({ plugins: [bearer()] })
    const person = await signUp(other)
    const [, token = ''] = (await person.cookieHeader()).split('=')
    const headers = { authorization: `Bearer ${token}` }
    // The plugin works: better-auth itself would accept the bearer token.
    expect(await other.auth.api.getSession({ headers: new Headers(headers) })).not.toBeNull()
    expect(await other.backend.authenticate(toAuthnRequest({ headers }))).toMatchObject({
      ok: false,
      reason: 'credential-missing',
    })
    await other.close()
  })

  it('accepts sessions with added fields of a plugin, and fails without required fields', async () => {
    const more = await startTestServer({
      plugins: [customSession(({ user, session }) => Promise.resolve({ user, session, more: 1 }))],
    })
    const person = await signUp(more)
    expect((await more.backend.authenticate(await person.request())).ok).toBe(true)
    await more.close()
    const less = await startTestServer({
      plugins: [customSession(({ user }) => Promise.resolve({ user }))],
    })
    const request = await (await signUp(less)).request()
    await expect(less.backend.authenticate(request)).rejects.toMatchObject({ code: 'INTERNAL' })
    await less.close()
  })

  it('holds no connection while it hashes a password', async () => {
    const busy: number[] = []
    const other: TestServer<[]> = await startTestServer({
      betterAuthOptions: {
        emailAndPassword: {
          enabled: true,
          password: {
            hash: (password) => {
              busy.push(other.pool.totalCount - other.pool.idleCount)
              return Promise.resolve(`hash of ${password.length}`)
            },
          },
        },
      },
    })
    await signUp(other)
    expect(busy).toEqual([0])
    await other.close()
  })
})

describe('createBetterAuthBackend', () => {
  let server: TestServer<[]>
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  it('declares its capabilities and has no redirect flow', () => {
    const { backend, origin } = server
    expect(backend.name).toBe('better-auth')
    expect(backend.basePath).toBe('/api/auth')
    expect(backend).not.toHaveProperty('interactive')
    expect(backend.capabilities).toEqual({
      listSessions: true,
      revokeSessions: true,
      refresh: true,
      providerLogout: false,
    })
    expect(backend.signInHint).toBe(`Sign in with POST ${origin}/api/auth/sign-in/email.`)
    expect(backend.providers.listProviders()).toEqual([
      { id: 'better-auth', displayName: 'E-mail and password', kind: 'credentials' },
    ])
    expect(backend.providers.getProvider('better-auth')?.kind).toBe('credentials')
    expect(backend.providers.getProvider('google')).toBeUndefined()
  })

  it('declares refresh only if sessions are extended', () => {
    const { auth, secret, origin: baseURL } = server
    for (const session of [{ disableSessionRefresh: true }, { deferSessionRefresh: true }]) {
      const options = { ...auth.options, session }
      const backend = createBetterAuthBackend({ auth: { ...auth, options }, secret, baseURL })
      expect(backend.capabilities.refresh).toBe(false)
    }
  })

  it.each([
    ['sessions end while they are used', { session: { expiresIn: 60 } }, /session\.updateAge/],
    ['sessions outlive their end', { session: { cookieCache: { enabled: true } } }, /cookieCache/],
    [
      'users can give themselves a role',
      { user: { additionalFields: { role: field } } },
      /user\.additionalFields\.role/,
    ],
  ])('rejects an instance whose %s', (_what, more, message) => {
    const { auth, secret, origin: baseURL } = server
    const options = { ...auth.options, ...more }
    expect(() => createBetterAuthBackend({ auth: { ...auth, options }, secret, baseURL })).toThrow(
      message,
    )
  })
})
