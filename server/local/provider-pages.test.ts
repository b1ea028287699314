import { type Browser, type BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { launchBrowser } from '../e2e/support/browser.js'
import { describeWithBrowser } from '../e2e/support/describe-with-browser.js'
import { listenOnLoopback, type LoopbackServer } from './loopback.js'
import { type LocalProvider, startLocalProvider } from './provider.js'

describeWithBrowser('the pages of the local provider, in a browser without JavaScript', () => {
  /** Of another origin than the provider, as the real service is. */
  let service: LoopbackServer
  let callback: string
  let provider: LocalProvider
  let browser: Browser
  let context: BrowserContext
  let requested: string[]
  beforeAll(async () => {
    service = await listenOnLoopback(0)
    service.serve((_req, res) => res.end('back'))
    callback = `http://127.0.0.1:${service.port}/callback`
    provider = await startLocalProvider({
      clientId: 'app',
      clientSecret: 'secret',
      redirectUris: [callback],
      postLogoutRedirectUris: [],
    })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await provider.stop()
    await service.close()
  })
  beforeEach(async () => {
    context = await browser.newContext({ javaScriptEnabled: false })
    requested = []
    context.on('request', (request) => requested.push(new URL(request.url()).origin))
  })
  afterEach(() => context.close())

  const authorizationUrl = (): string => {
    const url = new URL('/auth', provider.issuer)
    url.search = new URLSearchParams({
      client_id: 'app',
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid email',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    }).toString()
    return url.href
  }

  it('sign in with two clicks, and load nothing from elsewhere', async () => {
    const page = await context.newPage()
    await page.goto(authorizationUrl())
    await page.getByRole('button', { name: 'Ada Lovelace' }).click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Ada Lovelace')
    const button = page.getByRole('button', { name: 'Allow', exact: true })
    const background = await button.evaluate((element) => getComputedStyle(element).backgroundColor)
    expect(background).toBe('rgb(47, 74, 192)')
    await button.click()
    await page.waitForURL(`${callback}?code=*`)
    expect(new Set(requested)).toEqual(new Set([provider.issuer, new URL(callback).origin]))
  })

  it('can be used with the keyboard alone', async () => {
    const page = await context.newPage()
    await page.goto(authorizationUrl())
    for (const key of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('heading', { name: 'Continue as Grace Hopper?' }).waitFor()
    for (const key of ['Tab', 'Tab', 'Tab', 'Enter']) await page.keyboard.press(key)
    await page.waitForURL(`${callback}?error=access_denied*`)
  })

  it('ask before they sign out', async () => {
    const page = await context.newPage()
    await page.goto(authorizationUrl())
    await page.getByRole('button', { name: 'Ada Lovelace' }).click()
    await page.goto(`${provider.issuer}/session/end`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
  })

  it('fit a screen 320 pixels wide', async () => {
    const page = await context.newPage()
    await page.setViewportSize({ width: 320, height: 640 })
    await page.goto(authorizationUrl())
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBe(320)
  })
})
