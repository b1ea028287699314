import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../local/free-port.js'
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
    `${API}/callback/another-name?a=b&a=c`,
  ])('%s completes sign-ins and leads to the sign-out at the provider', async (path) => {
    service = await startTestService({ callbackPath: path })
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent)
    expect(new URL(redirectUrl).searchParams.get('redirect_uri')).toBe(service.origin + path)
    const callback = await completeLogin(redirectUrl, { login: 'ada' })
    expect(callback).toContain(`${service.origin}${path}`)
    expect((await agent.fetch(callback)).status).toBe(303)
    expect((await me(agent)).user.displayName).toBe('Ada Lovelace')

    const signedOut = (await (await agent.post(`${API}/signout`)).json()) as { logoutUrl: string }
    const logoutUrl = new URL(signedOut.logoutUrl)
    expect(logoutUrl.pathname).toBe(`${API}/logout`)
    const leaving = await agent.fetch(`${API}/logout${logoutUrl.search}`)
    const { searchParams } = new URL(leaving.headers.get('location') ?? '')
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${service.origin}${API}/logged-out`)
  })

  it('that changes ends no sign-in that is under way', async () => {
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
