import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import axe from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { launchBrowser } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'
import { type OAuth2Provider, startOAuth2Provider } from './support/oauth2-provider.js'
import { createPool } from '../../prisma/pool.js'
import { freePort } from '../local/loopback.js'
import { startTestService, type TestService } from './support/service.js'
import { SESSION_COOKIE } from './support/sign-in.js'

describeWithBrowser('the page in Chromium', () => {
  let browser: Browser
  let service: TestService
  let hopping: OAuth2Provider
  let context: BrowserContext
  let page: Page
  let problems: string[]

  beforeAll(async () => {
    const port = await freePort()
    const redirectUri = `http://localhost:${port}/api/v1/auth/callback`
    const client = { clientId: 'client', clientSecret: 'secret' }
    hopping = await startOAuth2Provider({
      ...client,
      redirectUris: [`${redirectUri}/hopping`],
      extraHop: true,
    })
    browser = await launchBrowser()
    service = await startTestService({
      port,
      provider: { redirectUris: [`${redirectUri}/local`] },
      env: (local) => ({
        NETSCRIPT_AUTH_PROVIDERS: 'local,hopping',
        NETSCRIPT_AUTH_LOCAL_CLIENT_ID: local.NETSCRIPT_AUTH_CLIENT_ID ?? '',
        NETSCRIPT_AUTH_LOCAL_CLIENT_SECRET: local.NETSCRIPT_AUTH_CLIENT_SECRET ?? '',
        NETSCRIPT_AUTH_LOCAL_ISSUER: local.NETSCRIPT_AUTH_ISSUER ?? '',
        NETSCRIPT_AUTH_HOPPING_CLIENT_ID: client.clientId,
        NETSCRIPT_AUTH_HOPPING_CLIENT_SECRET: client.clientSecret,
        NETSCRIPT_AUTH_HOPPING_AUTHORIZATION_ENDPOINT: hopping.authorizationEndpoint,
        NETSCRIPT_AUTH_HOPPING_TOKEN_ENDPOINT: hopping.tokenEndpoint,
        NETSCRIPT_AUTH_HOPPING_USERINFO_ENDPOINT: hopping.userInfoEndpoint,
        NETSCRIPT_AUTH_HOPPING_SCOPES: 'user',
      }),
    })
  })
  afterAll(async () => {
    await browser.close()
    await service.close()
    await hopping.stop()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    page = await context.newPage()
    problems = []
    context.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    context.on('weberror', (error) => problems.push(String(error.error())))
  })
  afterEach(async () => {
    await context.close()
    expect(problems).toEqual([])
  })

  const signInButton = (on: Page, provider: string) =>
    on.getByRole('button', { name: new RegExp(provider, 'i') })

  /** From the page to the provider and back. */
  async function signIn(on: Page, account = /Ada Lovelace/): Promise<void> {
    await on.goto(service.origin)
    await signInButton(on, 'Local').click()
    await on.getByRole('button', { name: account }).click()
    await allow(on)
  }

  async function allow(on: Page): Promise<void> {
    await on.getByRole('button', { name: 'Allow', exact: true }).click()
    await on.waitForURL(`${service.origin}/`)
  }

  const sessionCookie = async () =>
    (await context.cookies()).find(({ name }) => name === SESSION_COOKIE)

  /** The session that a page was served for. The URL alone cannot tell a new page from the one before. */
  const shownSession = (on: Page) => on.getAttribute('main', 'data-session-id')

  it('signs in at the local provider, stays signed in, and signs out', async () => {
    await signIn(page)
    await expect.poll(() => page.textContent('body')).toContain('ada@example.test')
    expect(await sessionCookie()).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax' })
    await page.reload()
    expect(await page.textContent('body')).toContain('Ada Lovelace')
    await page.getByRole('button', { name: /^sign out$/i }).click()
    await page.waitForLoadState()
    // The provider asks whether to end its own session as well.
    if (page.url().startsWith(service.provider.issuer)) {
      await page
        .getByRole('button', { name: /yes|sign out|log out/i })
        .first()
        .click()
      await page.waitForURL(`${service.origin}/**`)
    }
    await page.waitForURL(`${service.origin}/`)
    await signInButton(page, 'Local').waitFor()
    expect(await sessionCookie()).toBeUndefined()
  })

  /** Moves every sign-in ten minutes into the past. */
  async function ageSignIns(): Promise<void> {
    const pool = createPool(service.databaseUrl)
    await pool.query(
      `UPDATE auth_keyv SET value = jsonb_set(jsonb_set(value::jsonb,
         '{value,issuedAt}', to_jsonb(((value::jsonb)->'value'->>'issuedAt')::bigint - 600000)),
         '{value,authTime}', to_jsonb(((value::jsonb)->'value'->>'issuedAt')::bigint - 600000))::text
       WHERE user_id IS NOT NULL`,
    )
    await pool.end()
  }

  it('adds an account at another provider and removes it, after a recent sign-in', async () => {
    await signIn(page)
    const accounts = page.getByRole('region', { name: 'How you can sign in' })
    expect(await accounts.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
    await accounts.getByRole('button', { name: 'Add Hopping' }).click()
    await accounts.getByRole('button', { name: 'Remove Hopping' }).waitFor()
    expect(page.url()).toBe(`${service.origin}/`)
    expect(await accounts.getByRole('listitem').count()).toBe(2)
    expect(await page.textContent('h1')).toBe('Ada Lovelace')
    expect(await violations(page)).toEqual([])

    await ageSignIns()
    const old = await shownSession(page)
    await accounts.getByRole('button', { name: 'Remove Hopping' }).click()
    // The refusal is expected: the page leaves for the provider, which has just authenticated the user.
    await expect.poll(() => shownSession(page)).not.toBe(old)
    problems = problems.filter((problem) => !problem.includes('401'))
    await accounts.getByRole('button', { name: 'Remove Hopping' }).click()
    await accounts.getByRole('button', { name: 'Add Hopping' }).waitFor()
    expect(await accounts.getByRole('listitem').count()).toBe(1)
    expect(await page.textContent('h1')).toBe('Ada Lovelace')
  })

  it('shows users what is stored about them, and deletes them after a recent sign-in', async () => {
    await signIn(page)
    const data = page.getByRole('region', { name: 'Your data' })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      data.getByRole('link', { name: 'Download what is stored about you' }).click(),
    ])
    const stored = JSON.parse(await readFile(await download.path(), 'utf8')) as {
      user: { displayName: string }
    }
    expect(stored.user.displayName).toBe('Ada Lovelace')
    await data.getByText('Delete your account').click()
    expect(await violations(page)).toEqual([])

    await ageSignIns()
    const old = await shownSession(page)
    await data.getByRole('button', { name: 'Delete my account' }).click()
    await expect.poll(() => shownSession(page)).not.toBe(old)
    problems = problems.filter((problem) => !problem.includes('401'))
    await data.getByText('Delete your account').click()
    await data.getByRole('button', { name: 'Delete my account' }).click()
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
    expect(await sessionCookie()).toBeUndefined()
  })

  it('handles a double click on sign out as one', async () => {
    await signIn(page)
    // Simulate a slow connection.
    await page.route('**/signout', async (route) => {
      const response = await route.fetch({ maxRedirects: 0 })
      await delay(500)
      await route.fulfill({ response })
    })
    await page.getByRole('button', { name: /^sign out$/i }).dblclick({ delay: 50 })
    await page.waitForURL(`${service.provider.issuer}/**`)
  })

  it('works without JavaScript', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false })
    const tab = await plain.newPage()
    await signIn(tab)
    expect(await tab.textContent('body')).toContain('Ada Lovelace')
    await plain.close()
  })

  it('lets two tabs sign in side by side', async () => {
    const second = await context.newPage()
    await page.goto(service.origin)
    await second.goto(service.origin)
    await signInButton(page, 'Local').click()
    await signInButton(second, 'Local').click()
    await page.getByRole('button', { name: /Ada Lovelace/ }).click()
    await allow(page)
    await second.getByRole('button', { name: /Ada Lovelace/ }).click()
    // Ada has just granted consent, so the provider does not prompt again.
    await second.waitForURL(`${service.origin}/`)
    // The second sign-in replaced the session of the first tab, which updates.
    await expect.poll(() => shownSession(page)).toBe(await shownSession(second))
    expect(await page.textContent('body')).toContain('Ada Lovelace')
    expect(await second.textContent('body')).toContain('Ada Lovelace')
  })

  it('survives the back button', async () => {
    await signIn(page)
    await page.goBack()
    await page.waitForURL(`${service.provider.issuer}/**`)
    // The provider's page is stale, and the provider reports that.
    problems = []
    await page.goto(service.origin)
    expect(await page.textContent('body')).toContain('Ada Lovelace')
  })

  it('redirects a second click on a used callback to the front page', async () => {
    let callback = ''
    page.on('request', (request) => {
      if (request.url().includes('/auth/callback')) callback = request.url()
    })
    await signIn(page)
    await page.goto(callback)
    expect(page.url()).toBe(`${service.origin}/`)
    expect(await page.textContent('body')).toContain('Ada Lovelace')
  })

  it('shows an anonymous user with a foreign callback a page that says what to do', async () => {
    const answer = await page.goto(`${service.origin}/api/v1/auth/callback?code=x&state=y`)
    expect(answer?.status()).toBe(400)
    expect(await page.textContent('body')).toContain('AUTH_TRANSACTION_MISSING')
    await page.getByRole('link', { name: 'Go to the start page' }).click()
    await signInButton(page, 'Local').waitFor()
    problems = problems.filter((text) => !text.includes('400'))
  })

  it('signs in at a provider that redirects over one more origin', async () => {
    await page.goto(service.origin)
    await signInButton(page, 'Hopping').click()
    await page.waitForURL(`${service.origin}/`)
    await page.getByRole('button', { name: /^sign out$/i }).waitFor()
  })

  it('ends one session, or those of all other devices', async () => {
    await signIn(page, /Grace Hopper/)
    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const device = await browser.newContext()
        const tab = await device.newPage()
        await signIn(tab, /Grace Hopper/)
        return { device, tab }
      }),
    )
    const signedInTabs = async () =>
      (await Promise.all(others.map(({ tab }) => tab.textContent('h1')))).filter(
        (heading) => heading === 'Grace Hopper',
      ).length
    await page.reload()
    const endOne = page.getByRole('button', { name: 'Sign out Chrome on Linux' })
    await expect.poll(() => endOne.count()).toBe(3)
    await endOne.first().click()
    await page.getByRole('status').getByText('Signed out there.').waitFor()
    expect(await endOne.count()).toBe(2)
    await Promise.all(others.map(({ tab }) => tab.reload()))
    expect(await signedInTabs()).toBe(2)
    await page.getByRole('button', { name: 'Sign out on other devices' }).click()
    await page.getByRole('status').getByText('Signed out on other devices.').waitFor()
    expect(await page.getByRole('button', { name: /^Sign out/ }).allTextContents()).toEqual([
      'Sign out',
      'Sign out on all devices',
    ])
    await Promise.all(others.map(({ tab }) => tab.reload()))
    expect(await signedInTabs()).toBe(0)
    await page.reload()
    expect(await page.textContent('h1')).toBe('Grace Hopper')
    await Promise.all(others.map(({ device }) => device.close()))
  })

  it('follows what another tab does', async () => {
    await page.goto(service.origin)
    const second = await context.newPage()
    await signIn(second)
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()
    await second.getByRole('button', { name: 'Sign out', exact: true }).click()
    await second
      .getByRole('button', { name: /yes|sign out|log out/i })
      .first()
      .click()
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
    await second.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
  })

  it('reloads at most once when it is served without the cookie', async () => {
    await signIn(page)
    await page.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()
    const anonymous = await (await fetch(service.origin)).text()
    let loads = 0
    await page.route(`${service.origin}/`, async (route) => {
      loads++
      await route.fulfill({ contentType: 'text/html', body: anonymous })
    })
    const answered = () => page.waitForResponse(/\/me$/)
    await Promise.all([answered(), page.goto(service.origin)])
    await Promise.all([answered(), page.waitForEvent('load')])
    await page.evaluate('new Promise((done) => setTimeout(done))')
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor()
    expect(loads).toBe(2)
  })

  it('can be used by keyboard alone', async () => {
    await page.goto(service.origin)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /Katherine Johnson/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Allow', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${service.origin}/`)
    await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor()
    const reached: string[] = []
    for (let step = 0; step < 8; step++) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''))
    }
    expect(reached).toEqual([
      'Sign out',
      'Sign out on all devices',
      'Add Hopping',
      'Download what is stored about you',
      'Delete your account',
      'API documentation',
      'OpenAPI document',
      'Health',
    ])
  })

  it.each(['light', 'dark'] as const)('has no axe violations, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await page.goto(service.origin)
    expect(await violations(page)).toEqual([])
    await signIn(page)
    const device = await browser.newContext()
    await signIn(await device.newPage())
    await page.reload()
    await page.getByRole('button', { name: 'Sign out on other devices' }).waitFor()
    expect(await violations(page)).toEqual([])
    await device.close()
    await page.goto(`${service.origin}/api/v1/auth/callback?code=x&state=y`)
    await page.goto(`${service.origin}/api/v1/auth/callback?code=x&state=y`)
    expect(await violations(page)).toEqual([])
  })

  it('loads nothing from another origin, and allows nothing inline', async () => {
    const asked = new Set<string>()
    page.on('request', (request) => asked.add(new URL(request.url()).origin))
    const answer = await page.goto(service.origin)
    await page.goto(`${service.origin}/docs`)
    await page.getByText('/api/v1/auth/me').first().waitFor()
    expect([...asked].filter((origin) => origin !== 'null')).toEqual([service.origin])
    const policy = answer?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    const blocked = await page.evaluate(
      (href) =>
        new Promise<string>((resolve) => {
          document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
            resolve(violatedDirective),
          )
          const script = document.createElement('script')
          script.textContent = `location.href = ${JSON.stringify(href)}`
          document.body.append(script)
        }),
      'https://example.test/',
    )
    expect(blocked).toBe('script-src-elem')
    problems = []
  })

  it('redirects a page under another host name to its own origin', async () => {
    await page.goto(service.origin.replace('localhost', '127.0.0.1'))
    expect(page.url()).toBe(`${service.origin}/?from=127.0.0.1`)
  })
})

/** Violations that axe-core reports for WCAG 2.2 AA and best practices, as text. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  })
  return found
}
