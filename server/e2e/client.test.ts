import { initClient } from '@ts-rest/core'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as small from '../../client/index.js'
import * as validated from '../../client/validated.js'
import { authContractV1 } from '../../contract/auth-contract.js'
import { launchBrowser } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { createUserAgent } from './support/user-agent.js'

const CLIENTS = Object.entries({ client: small, 'client/validated': validated })

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())

it('the client that ts-rest makes of the contract is typed, and reads and fails', async () => {
  const api = initClient(authContractV1, { baseUrl: service.origin, baseHeaders: {} })
  const me = await api.me()
  if (me.status !== 200) throw new Error(`me answered ${me.status}`)
  const userId: string | undefined = me.body.authenticated ? me.body.user.id : undefined
  expect([me.body, userId]).toEqual([{ authenticated: false }, undefined])
  // @ts-expect-error A return target is a string.
  const refused = await api.signin({ body: { redirectTo: 1 } })
  if (refused.status !== 422) throw new Error(`signin answered ${refused.status}`)
  expect(refused.body.code).toBe('VALIDATION_ERROR')
})

describe.each(CLIENTS)('%s on the real service', (_name, { createAuthClient }) => {
  /** The client in a new browser. */
  function stranger() {
    const agent = createUserAgent(service.origin)
    const visited: string[] = []
    const auth = createAuthClient({
      baseUrl: service.origin,
      fetch: (url, init) => agent.fetch(url, init),
      navigate: (url) => visited.push(url),
    })
    return { auth, agent, visited }
  }

  async function signedIn(login = 'ada') {
    const { auth, ...rest } = stranger()
    const { redirectUrl } = await auth.signin({ redirectTo: '/' })
    const callback = new URL(await completeLogin(redirectUrl, { login }))
    const completed = await auth.callback(Object.fromEntries(callback.searchParams))
    return { auth, completed, ...rest }
  }

  it('signs a user in, returns their identity, and signs them out', async () => {
    const { auth, completed, visited } = await signedIn()
    expect(completed).toMatchObject({ completed: true, redirectTo: `${service.origin}/` })
    const me = await auth.me()
    expect(me).toMatchObject({ authenticated: true, session: { state: 'active' } })
    const session = await auth.session()
    expect(session.authenticated && session.session.subject).toBe(completed.subject)
    await auth.redirectToSignOut({ redirectTo: '/' })
    expect(visited).toEqual([expect.stringContaining('/api/v1/auth/logout?ticket=')])
    expect(await auth.me()).toEqual({ authenticated: false })
    expect(await auth.signout()).toEqual({ signedOut: true })
  })

  it('navigates to the provider', async () => {
    const { auth, visited } = stranger()
    await auth.redirectToSignIn({ loginHint: 'ada' })
    expect(visited).toEqual([expect.stringContaining(service.provider.issuer)])
  })

  it('lists sessions and ends one, then all others', async () => {
    const [here, there, third] = [
      await signedIn('grace'),
      await signedIn('grace'),
      await signedIn('grace'),
    ]
    const { sessions } = await here.auth.sessions()
    expect(sessions.map(({ current }) => current)).toEqual([false, false, true])
    expect(await here.auth.revokeSession(sessions[1]?.session.id ?? '')).toEqual({ revoked: 1 })
    expect((await there.auth.me()).authenticated).toBe(false)
    expect(await here.auth.revokeOtherSessions()).toEqual({ revoked: 1 })
    expect((await third.auth.me()).authenticated).toBe(false)
    expect((await here.auth.me()).authenticated).toBe(true)
    await here.auth.signout()
  })

  it('describes the backend', async () => {
    expect(await stranger().auth.describe()).toMatchObject({ backend: 'kv-oauth' })
  })

  it.each<[string, number, (auth: small.AuthClient) => Promise<unknown>]>([
    ['UNAUTHORIZED', 401, (auth) => auth.sessions()],
    ['UNAUTHORIZED', 401, (auth) => auth.revokeOtherSessions()],
    ['AUTH_TRANSACTION_MISSING', 400, (auth) => auth.callback({ code: 'a', state: 'b' })],
    ['RETURN_TO_NOT_ALLOWED', 422, (auth) => auth.signin({ redirectTo: 'https://evil.example' })],
    ['VALIDATION_ERROR', 422, (auth) => auth.signin({ scopes: ['no scope'] })],
  ])('throws %s', async (code, status, ask) => {
    await expect(ask(stranger().auth)).rejects.toMatchObject({
      name: 'AuthClientError',
      code,
      status,
      requestId: expect.any(String) as string,
    })
  })

  it('ends no session when the id is a path', async () => {
    const { auth } = await signedIn()
    const other = await signedIn()
    for (const id of ['', '.', '..', '../signout', 'x/../../signout', '?']) {
      await expect(auth.revokeSession(id)).rejects.toMatchObject({ name: 'AuthClientError' })
    }
    for (const one of [auth, other.auth]) expect((await one.me()).authenticated).toBe(true)
    await auth.signout({ everywhere: true })
  })
})

describeWithBrowser('client in Chromium', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [new URL('../../client/index.ts', import.meta.url).pathname],
      bundle: true,
      conditions: ['@netscript/source'],
      platform: 'browser',
      format: 'iife',
      globalName: 'authModule',
      write: false,
    })
    browser = await launchBrowser()
    page = await browser.newPage()
    await page.addInitScript(`${outputFiles[0]?.text};globalThis.authModule = authModule`)
  })
  afterAll(() => browser.close())

  /** The page evaluates this; it is text, so that its types are those of the browser. */
  const inPage = (expression: string) =>
    page.evaluate(`(async () => {
      const auth = authModule.createAuthClient()
      const asked = (promise) => promise.catch(({ name, code, status }) => ({ name, code, status }))
      return ${expression}
    })()`)

  it('signs in and out with the cookies of the page', async () => {
    await page.goto(service.origin)
    expect(await inPage('await auth.me()')).toEqual({ authenticated: false })
    const leaving = page.waitForURL(`${service.provider.issuer}/**`)
    await inPage(`void auth.redirectToSignIn({ redirectTo: '/' })`)
    await leaving
    await page.getByRole('button', { name: /Ada Lovelace/ }).click()
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await page.waitForURL(`${service.origin}/`)
    expect(await inPage('await auth.me()')).toMatchObject({ authenticated: true })
    expect(await inPage('await auth.signout()')).toMatchObject({ signedOut: true })
    expect(await inPage('await auth.me()')).toEqual({ authenticated: false })
  })

  it('steps up at the provider, and returns with a session that says when', async () => {
    await page.goto(service.origin)
    const choose = async (account: RegExp) => {
      await page.waitForURL(`${service.provider.issuer}/**`)
      await page.getByRole('button', { name: account }).click()
      const allow = page.getByRole('button', { name: 'Allow', exact: true })
      const isBack = page.waitForURL(`${service.origin}/**`).then(() => true)
      // The provider may ask for consent again.
      const isAsked = allow.waitFor().then(
        () => false,
        () => true,
      )
      if (!(await Promise.race([isBack, isAsked]))) await allow.click()
      await isBack
    }
    await inPage(`void auth.redirectToSignIn({ redirectTo: '/', prompt: 'login' })`)
    await choose(/Ada Lovelace/)
    const refusal = `Response.json(
      { code: 'AUTH_RECENT_SIGN_IN_REQUIRED', data: { maxAge: 0 } },
      { status: 401 },
    )`
    await inPage(`void auth.stepUp(${refusal}, { redirectTo: '/' })`)
    await choose(/Ada Lovelace/)
    expect(await inPage('(await auth.session()).session')).toMatchObject({
      authTime: expect.any(String) as string,
    })

    await inPage(`void auth.stepUp(${refusal}, { redirectTo: '/' })`)
    await choose(/Grace Hopper/)
    await page.getByText('Nothing was changed.').waitFor()
    expect(await inPage('(await auth.me()).user.displayName')).toBe('Ada Lovelace')
    await inPage('await auth.signout()')
  })

  it('rejects redirects instead of following them', async () => {
    await page.route('**/api/v1/auth/me', (route) =>
      route.fulfill({ status: 303, headers: { location: 'https://elsewhere.example/' } }),
    )
    await page.goto(service.origin)
    expect(await inPage('await asked(auth.me())')).toEqual({
      name: 'AuthClientError',
      code: 'UNEXPECTED_RESPONSE',
      status: 0,
    })
  })
})
