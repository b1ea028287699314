import { afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../config/config.js'
import { freePort } from '../local/loopback.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { me, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'

describe('a redirect URI', () => {
  let service: TestService
  afterEach(() => service.close())

  it.each([
    `${API}/callback`,
    `${API}/callback/local`,
    `${API}/callback?provider=local`,
    `${API}/callback?provider=&x=`,
    `${API}/callback/another-name?a=b&a=c`,
    `${API}/callback/Local?provider=Local%20One&x=%2F`,
    `${API}/callback/%6Cocal%2Fone%20two`,
    `${API}/callback/café?x`,
    `${API}/callback/${'a'.repeat(64)}`,
  ])('%s completes sign-ins and leads to the sign-out at the provider', async (path) => {
    service = await startTestService({ callbackPath: path })
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent)
    expect(new URL(redirectUrl).searchParams.get('redirect_uri')).toBe(service.origin + path)
    const callback = await completeLogin(redirectUrl, { login: 'ada' })
    const [came, sent] = [new URL(callback), new URL(service.origin + path)]
    expect(came.pathname).toBe(sent.pathname)
    for (const [name, value] of sent.searchParams) {
      expect(came.searchParams.getAll(name)).toContain(value)
    }
    expect((await agent.fetch(callback)).status).toBe(303)
    expect((await me(agent)).user.displayName).toBe('Ada Lovelace')

    const signedOut = (await (await agent.post(`${API}/signout`)).json()) as { logoutUrl: string }
    const logoutUrl = new URL(signedOut.logoutUrl)
    expect(logoutUrl.pathname).toBe(`${API}/logout`)
    const leaving = await agent.fetch(`${API}/logout${logoutUrl.search}`)
    const { searchParams } = new URL(leaving.headers.get('location') ?? '')
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${service.origin}${API}/logged-out`)
  })

  it('that no request can match is refused at start', async () => {
    service = await startTestService()
    const long = 'a'.repeat(65)
    const added = ['code', 'state', 'iss', 'error', 'error_description']
    const paths = [
      ...['', '/Callback', '/CALLBACK/local', '/callbacks', '/callbac%6B', '/callback;x'],
      ...['/', '//local', '/local/', '/local/x', `/${long}`].map((end) => `/callback${end}`),
      ...[`?provider=${long}`, '?provider=a&provider=b'].map((query) => `/callback${query}`),
      ...added.flatMap((name) => [`/callback?${name}=a`, `/callback/local?${name}=a`]),
    ].map((path) => API + path)
    for (const path of [...paths, `/x${API}/callback`, `/${API}/callback`, '/callback', '/']) {
      const env = {
        NETSCRIPT_AUTH_CLIENT_ID: 'a',
        NETSCRIPT_AUTH_REDIRECT_URI: service.origin + path,
      }
      const read = () => readConfig(env, { production: false })
      expect(read, path).toThrow(/^NETSCRIPT_AUTH_REDIRECT_URI (has|is) .* Set it to the origin/)
      const url = new URL(service.origin + path)
      added.forEach((name) => url.searchParams.append(name, 'a'))
      const answer = await fetch(url, {
        headers: { accept: 'application/json' },
        redirect: 'manual',
      })
      expect(await answer.text(), path).not.toContain('AUTH_TRANSACTION')
    }
  })

  it('of one of several providers accepts responses of that provider only', async () => {
    const port = await freePort()
    const paths = {
      derived: `${API}/callback/derived`,
      plain: `${API}/callback`,
      queried: `${API}/callback?provider=queried`,
      further: `${API}/callback?tenant=a`,
      encoded: `${API}/callback/caf%C3%A9`,
      similar: `${API}/callback/derived?x=1`,
    }
    const ids = Object.keys(paths)
    service = await startTestService({
      port,
      provider: {
        redirectUris: Object.values(paths).map((path) => `http://localhost:${port}${path}`),
      },
      env: (local) => ({
        NETSCRIPT_AUTH_PROVIDERS: ids.join(),
        ...Object.fromEntries(
          Object.entries(paths).flatMap(([id, path]) => {
            const prefix = `NETSCRIPT_AUTH_${id.toUpperCase()}_`
            return [
              ...['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET'].map((name) => [
                prefix + name,
                local[`NETSCRIPT_AUTH_${name}`] ?? '',
              ]),
              ...(id === 'derived'
                ? []
                : [[`${prefix}REDIRECT_URI`, `http://localhost:${port}${path}`]]),
            ] as [string, string][]
          }),
        ),
      }),
    })
    for (const [providerId, path] of Object.entries(paths)) {
      for (const elsewhere of Object.values(paths)) {
        const agent = createUserAgent(service.origin)
        const { redirectUrl } = await startSignIn(agent, { providerId })
        const callback = new URL(await completeLogin(redirectUrl, { login: 'ada' }))
        const target = new URL(service.origin + elsewhere)
        for (const name of ['code', 'state', 'iss']) {
          target.searchParams.set(name, callback.searchParams.get(name) ?? '')
        }
        const { status } = await agent.fetch(target.href)
        expect([providerId, elsewhere, status]).toEqual([
          providerId,
          elsewhere,
          elsewhere === path ? 303 : 400,
        ])
      }
    }
  })

  it('that changes does not break sign-ins in progress', async () => {
    const port = await freePort()
    const uris = [`${API}/callback?provider=local`, `${API}/callback/local`].map(
      (path) => `http://localhost:${port}${path}`,
    )
    service = await startTestService({
      port,
      callbackPath: `${API}/callback?provider=local`,
      provider: { redirectUris: uris },
    })
    const agent = createUserAgent(service.origin)
    const callback = await completeLogin((await startSignIn(agent)).redirectUrl, { login: 'ada' })
    const newer = await service.startAnother({ NETSCRIPT_AUTH_REDIRECT_URI: uris[1]! })
    const target = new URL(callback)
    target.port = new URL(newer.url).port
    expect((await agent.fetch(target.href)).status).toBe(303)
    expect((await me(agent)).authenticated).toBe(true)
  })
})
