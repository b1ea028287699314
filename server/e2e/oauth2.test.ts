import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { readConfig } from '../config/config.js'
import { createLogger } from '../log.js'
import { type AuthService, createAuthService } from '../service.js'
import { type OAuth2Provider, startOAuth2Provider } from './support/oauth2-provider.js'
import { freePort } from '../local/loopback.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const profile = (id: number, over: object = {}) => ({
  id,
  login: `login-${id}`,
  name: `Name ${id}`,
  email: `mail-${id}@example.test`,
  avatar_url: null,
  ...over,
})

describe('plain OAuth 2.0 providers, two at once', () => {
  let database: TestDatabase
  let service: AuthService
  let origin: string
  let one: OAuth2Provider
  let two: OAuth2Provider

  beforeAll(async () => {
    database = await createTestDatabase()
    const port = await freePort()
    origin = `http://localhost:${port}`
    const redirectUri = `${origin}/api/v1/auth/callback`
    const client = { clientId: 'client', clientSecret: 'secret' }
    // Derived, and registered with a query, as by earlier versions.
    const [first, second] = [`${redirectUri}/one`, `${redirectUri}?provider=two`]
    one = await startOAuth2Provider({ ...client, redirectUris: [first] })
    two = await startOAuth2Provider({ ...client, redirectUris: [second], namesNoScope: true })
    const variables = (prefix: string, provider: OAuth2Provider) => ({
      [`NETSCRIPT_AUTH_${prefix}_CLIENT_ID`]: client.clientId,
      [`NETSCRIPT_AUTH_${prefix}_CLIENT_SECRET`]: client.clientSecret,
      [`NETSCRIPT_AUTH_${prefix}_AUTHORIZATION_ENDPOINT`]: provider.authorizationEndpoint,
      [`NETSCRIPT_AUTH_${prefix}_TOKEN_ENDPOINT`]: provider.tokenEndpoint,
      [`NETSCRIPT_AUTH_${prefix}_USERINFO_ENDPOINT`]: provider.userInfoEndpoint,
      [`NETSCRIPT_AUTH_${prefix}_SCOPES`]: 'user',
      [`NETSCRIPT_AUTH_${prefix}_ADDITIONAL_SCOPES`]: 'orders:read',
    })
    const env = {
      PORT: String(port),
      NETSCRIPT_AUTH_PROVIDERS: 'one,two',
      NETSCRIPT_AUTH_REDIRECT_URI: redirectUri,
      NETSCRIPT_AUTH_TWO_REDIRECT_URI: second,
      NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
      NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
      NETSCRIPT_AUTH_TOKEN_AUDIENCES: 'https://orders.example',
      ...variables('ONE', one),
      ...variables('TWO', two),
    }
    const config = readConfig(env, { production: false })
    const logger = createLogger('silent')
    service = await createAuthService({ config, databaseUrl: database.url, env, logger })
  })
  afterAll(async () => {
    await service.close()
    await one.stop()
    await two.stop()
    await database.drop()
  })

  /** The providers approve at once, so the redirects lead straight back. */
  async function signInAt(
    providerId: string,
    { agent = createUserAgent(origin), ...input }: { agent?: UserAgent; scopes?: string[] } = {},
  ) {
    const { redirectUrl } = await startSignIn(agent, { providerId, ...input })
    const approved = await fetch(redirectUrl, { redirect: 'manual' })
    const callback = await agent.fetch(approved.headers.get('location') ?? '')
    expect(callback.status).toBe(303)
    return me(agent)
  }

  it('recognize a user by the id, whatever else has changed', async () => {
    one.signInAs(profile(1))
    const first = await signInAt('one')
    one.signInAs(profile(1, { name: 'New Name', login: 'new-login', email: 'new@example.test' }))
    const second = await signInAt('one')
    expect(second.user.id).toBe(first.user.id)
    expect(second.user.displayName).toBe('New Name')
    one.signInAs(profile(2))
    expect((await signInAt('one')).user.id).not.toBe(first.user.id)
  })

  it('keep two users apart who share an e-mail address or an id', async () => {
    one.signInAs(profile(7))
    two.signInAs(profile(7))
    const [here, there] = [await signInAt('one'), await signInAt('two')]
    expect(here.user.email).toBe(there.user.email)
    expect(here.session.subject).toBe(there.session.subject)
    expect(here.user.id).not.toBe(there.user.id)
  })

  it('may have users without an e-mail address or a name', async () => {
    one.signInAs(profile(3, { email: null, name: null }))
    const { user } = await signInAt('one')
    expect(user).not.toHaveProperty('email')
  })

  it('have separate buttons on the page, which knows the last one used', async () => {
    two.signInAs(profile(8))
    const agent = createUserAgent(origin)
    await signInAt('two', { agent })
    const home = await agent.fetch('/')
    expect(home.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^ns_provider=two; Max-Age=31536000; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
      ),
    ])
    expect((await agent.fetch('/')).headers.getSetCookie()).toEqual([])
    await agent.post('/api/v1/auth/signout')
    expect(await (await agent.fetch('/')).text()).toMatch(/value="two"[^]*Last used/)
  })

  it.each(['three', '', 'j:["two"]', 's:two.x', '%74%77%6F%', '__proto__', '<script>'])(
    'are hinted at by no cookie but their own id: %s',
    async (value) => {
      const response = await fetch(origin, { headers: { cookie: `ns_provider=${value}` } })
      expect(response.status).toBe(200)
      expect(await response.text()).not.toContain('Last used')
    },
  )

  it.each([
    ['a NUL', 'a\u0000b'],
    ['a lone surrogate', 'a\ud800b'],
    ['an emoji', 'a\u{1F600}b'],
    ['markup', '"><script>alert(1)</script>'],
  ])('may send %s in a name, an e-mail and an id', async (_what, text) => {
    one.signInAs(profile(4, { id: `id ${text}`, name: text, email: `${text}@example.test` }))
    const first = await signInAt('one')
    expect(first.authenticated).toBe(true)
    expect(first.user.displayName).toBeTruthy()
    expect((await signInAt('one')).user.id).toBe(first.user.id)
  })

  it('keep ids apart that differ only in characters that Postgres cannot store', async () => {
    const ids = new Set<string>()
    for (const id of ['x\u0000', 'x\ud800', 'x\\u0000', 'x']) {
      one.signInAs(profile(5, { id }))
      ids.add((await signInAt('one')).user.id)
    }
    expect(ids.size).toBe(4)
  })

  it.each(['one', 'two'])(
    'are not asked for scopes that the operator did not list: %s',
    async (id) => {
      const agent = createUserAgent(origin)
      const scopes = ['user', 'orders:admin']
      const refused = await agent.post('/api/v1/auth/signin', { providerId: id, scopes })
      expect(refused.status).toBe(422)
      expect(await refused.json()).toMatchObject({
        code: 'VALIDATION_ERROR',
        data: { fieldErrors: { scopes: ['must be among: user, orders:read'] } },
      })
      const form = await agent.fetch('/api/v1/auth/signin', {
        method: 'POST',
        body: new URLSearchParams({ providerId: id, scopes: scopes.join(' ') }),
        headers: { origin },
      })
      expect(form.status).toBe(422)
    },
  )

  it.each([
    ['one', 'names the scopes', ['user', 'orders:read']],
    ['two', 'names none', ['user']],
  ])(
    'grant a scope that a sign-in adds only when they name it: %s %s',
    async (id, _what, expected) => {
      const agent = createUserAgent(origin)
      const { session } = await signInAt(id, { agent, scopes: ['user', 'orders:read'] })
      expect(session).toMatchObject({ scopes: expected })
      const answer = await agent.post('/api/v1/auth/token', { audience: 'https://orders.example' })
      const { token } = (await answer.json()) as { token: string }
      expect(decodeJwt(token).scope).toBe(expected.join(' '))
    },
  )

  it('reject the response to a sign-in that started at the other', async () => {
    const agent = createUserAgent(origin)
    const { redirectUrl } = await startSignIn(agent, { providerId: 'one' })
    const approved = await fetch(redirectUrl, { redirect: 'manual' })
    const callback = approved.headers.get('location') ?? ''
    const swapped = await agent.fetch(callback.replace('/one?', '?provider=two&'))
    expect(swapped.status).toBe(400)
    expect((await me(agent)).authenticated).toBe(false)
  })
})
