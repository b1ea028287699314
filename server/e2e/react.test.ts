import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { createElement } from 'react'
import * as reactServer from 'react-dom/server'
import * as jsxRuntime from 'react/jsx-runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { MeResponse } from '../../client/auth-api.js'
import * as client from '../../client/index.js'
import * as components from '../../client/react/index.js'
import { launchBrowser } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'
import { type OneOrigin, startOneOrigin } from './support/one-origin.js'
import { readBlocks, runBlock } from './support/readme-block.js'
import { SessionPage } from './support/session-page.js'

const ROOT = new URL('../../', import.meta.url).pathname

const { renderToString } = reactServer

/** The block about React in the README. */
const readmeBlock = async (): Promise<string> =>
  (await readBlocks('README.md', 'tsx')).find((code) => code.includes('auth-client/react')) ?? ''

describe('the guide to React', () => {
  it('renders on a server', async () => {
    const [block = '', ...others] = await readBlocks('client/react/README.md', 'tsx')
    expect(others).toEqual([])
    const me = { authenticated: true, user: { id: 'u1', displayName: 'Ada' }, session: {} }
    const { render } = await runBlock(block.replace('export ', ''), {
      modules: {
        '@netscript/auth-client': {
          ...client,
          createAuthClient: (options: client.AuthClientOptions) =>
            client.createAuthClient({ ...options, fetch: async () => Response.json(me) }),
        },
        '@netscript/auth-client/react': components,
        'react-dom/server': reactServer,
        'react/jsx-runtime': jsxRuntime,
      },
      given: {
        AUTH_API: 'http://auth.example',
        App: () => components.useSession().user?.displayName,
      },
      wanted: ['render'],
    })
    const rendered = await (render as (cookie: string) => Promise<object>)('')
    expect(rendered).toEqual({ html: 'Ada', initial: me })
  })
})

/** React warns in its development build only. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'tsx' },
    bundle: true,
    conditions: ['@netscript/source'],
    write: false,
    jsx: 'automatic',
    alias: { '@netscript/auth-client/react': `${ROOT}client/react/index.ts` },
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

const HYDRATE = `
import { hydrateRoot } from 'react-dom/client'
import { SessionPage } from './server/e2e/support/session-page.js'
const { initial } = JSON.parse(document.getElementById('given').textContent)
hydrateRoot(document.getElementById('root'), <SessionPage initial={initial} />, {
  onRecoverableError: (error) => console.error('recovered', error),
})
`

describeWithBrowser('the components in Chromium', () => {
  let both: OneOrigin
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    const readme = await readmeBlock()
    expect(readme.split('\n').filter(Boolean)).toHaveLength(5)
    const scripts: Record<string, string> = {
      '/favicon.ico': '',
      '/page.js': await bundle(HYDRATE),
      '/readme.js': await bundle(readme),
    }
    const html = (script: string, root = '', given = {}) =>
      `<!doctype html><html lang="en"><title>${script}</title><link rel="icon" href="data:,">
      <div id="root">${root}</div>
      <script id="given" type="application/json">${JSON.stringify(given).replaceAll('<', '\\u003c')}</script>
      <script src="/${script}.js"></script></html>`
    both = await startOneOrigin(async ({ pathname, origin }, cookie) => {
      if (pathname === '/readme') return html('readme')
      if (pathname === '/without') return html('page', renderToString(createElement(SessionPage)))
      if (pathname !== '/') return scripts[pathname]
      const answer = await fetch(`${origin}/api/v1/auth/me`, { headers: { cookie } })
      const initial = (await answer.json()) as MeResponse
      return html('page', renderToString(createElement(SessionPage, { initial })), { initial })
    })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await both.close()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text())
    })
    context.on('weberror', (error) => problems.push(String(error.error())))
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    expect(problems.splice(0)).toEqual([])
  })

  /** Through the provider, and back. */
  async function signIn(tab: Page): Promise<void> {
    await tab.getByRole('button', { name: 'Sign in' }).click()
    await tab.getByRole('button', { name: /Ada Lovelace/ }).click()
    await tab.getByRole('button', { name: 'Allow', exact: true }).click()
    await tab.waitForURL(`${both.origin}/**`)
  }
  const lines = (tab: Page) => tab.locator('p').allTextContents()
  const rendered = (tab: Page) => tab.evaluate('rendered')
  const timesAsked = () => both.asked.filter((line) => line.endsWith('/me')).length

  it('show a name in five lines', async () => {
    await page.goto(`${both.origin}/readme?page=2#top`)
    await signIn(page)
    await page.getByText('Ada Lovelace').waitFor()
    expect(page.url()).toBe(`${both.origin}/readme?page=2#top`)
  })

  it('hydrate without a warning, and flicker neither with what the server knew nor without', async () => {
    await page.goto(`${both.origin}/`)
    await expect.poll(() => lines(page)).toEqual(['signed-out'])
    expect(await page.textContent('#root')).toContain('members only')
    expect(await rendered(page)).toEqual(['signed-out'])
    await signIn(page)
    const before = timesAsked()
    await page.goto(`${both.origin}/`)
    await expect.poll(() => rendered(page)).toEqual(['signed-in'])
    expect(await lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    expect(timesAsked()).toBe(before + 1)
    await page.goto(`${both.origin}/without`)
    await expect.poll(() => lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    expect(await rendered(page)).toEqual(['loading', 'signed-in'])
    expect(timesAsked()).toBe(before + 2)
  })

  it('sign in and out without JavaScript', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false })
    const tab = await plain.newPage()
    await tab.goto(`${both.origin}/`)
    await signIn(tab)
    expect(await lines(tab)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await tab.getByRole('button', { name: 'Sign out' }).click()
    await tab.waitForURL(`${both.origin}/`)
    expect(await lines(tab)).toEqual(['signed-out'])
    await plain.close()
  })

  it('see in one tab that another has signed out', async () => {
    await page.goto(`${both.origin}/`)
    await signIn(page)
    await expect.poll(() => lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    const other = await context.newPage()
    await other.goto(`${both.origin}/without`)
    await expect.poll(() => lines(other)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    await page.getByRole('button', { name: 'Toggle' }).click()
    expect(await lines(page)).toEqual([])
    const before = timesAsked()
    await other.getByRole('button', { name: 'Sign out' }).click()
    await expect.poll(timesAsked).toBe(before + 1)
    await other.waitForURL(`${both.service.provider.issuer}/**`)
    await page.getByRole('button', { name: 'Toggle' }).click()
    await expect.poll(() => lines(page)).toEqual(['signed-out'])
    expect(await rendered(page)).toEqual(['signed-in', 'signed-out'])
  })

  it('sign out once when clicked twice, and reach the provider', async () => {
    await page.goto(`${both.origin}/`)
    await signIn(page)
    await expect.poll(() => lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    const timesSignedOut = () => both.asked.filter((line) => line.endsWith('/signout')).length
    const before = timesSignedOut()
    await page.locator('#out').dblclick()
    await page.waitForURL(`${both.service.provider.issuer}/**`)
    expect(timesSignedOut()).toBe(before + 1)
  })

  it('keep the name while the service is unavailable, poll it rarely, and recover', async () => {
    await page.clock.install()
    await page.goto(`${both.origin}/`)
    await signIn(page)
    await expect.poll(() => lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    both.isAway = true
    const before = timesAsked()
    await page.evaluate(`for (let n = 0; n < 100; n++) dispatchEvent(new Event('focus'))`)
    await page.clock.runFor(5_000)
    await expect
      .poll(() => lines(page))
      .toEqual(Array(2).fill('signed-in Ada Lovelace UNEXPECTED_RESPONSE'))
    await page.evaluate(`for (let n = 0; n < 100; n++) dispatchEvent(new Event('online'))`)
    expect(timesAsked()).toBe(before + 1)
    both.isAway = false
    await page.clock.runFor(5_000)
    await expect.poll(() => lines(page)).toEqual(Array(2).fill('signed-in Ada Lovelace'))
    expect(timesAsked()).toBe(before + 2)
    expect(await rendered(page)).toEqual(['signed-in'])
    both.isAway = true
    await page.getByRole('button', { name: 'Sign out' }).click()
    // Falls back to the form, which shows the error.
    await page.waitForURL('**/api/v1/auth/signout')
    both.isAway = false
    for (const problem of problems.splice(0)) expect(problem).toContain('status of 502')
  })
})
