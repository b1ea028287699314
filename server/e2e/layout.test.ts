import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AuthError } from '../../backends/errors.js'
import { createOpenApiDocument } from '../../openapi/document.js'
import { createApiDocs } from '../api-docs.js'
import { consentPage, loginPage, logoutPage, messagePage } from '../local/provider-pages.js'
import { serveAsset, stylesheet } from '../pages/assets.js'
import { errorPage, errorWords } from '../pages/error-page.js'
import { homePage, type HomePageOptions } from '../pages/home-page.js'
import { launchBrowser } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'

const WORD = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'
const NAME = 'Pablo Diego José Francisco de Paula Juan Nepomuceno María de los Remedios Ruiz'
const EMAIL = `${'pablo.ruiz.picasso'.repeat(3)}@subdomain.of-a-very-long-domain-name.example`

const NAMES = ['Google', `${WORD} Identity`, '日本電信電話株式会社認証基盤サービス統合管理センター']
const signedOut = (count: number): HomePageOptions => ({
  interactive: true,
  providers: Array.from({ length: count }, (_, at) => ({
    id: `p${at}`,
    displayName: NAMES[at] ?? `Provider ${at}`,
  })),
  docsEnabled: true,
})

const session = (id: string) => ({
  id,
  userId: 'u1',
  subject: 'ada',
  providerId: 'p1',
  state: 'active' as const,
  scopes: ['openid'],
  roles: ['administrator-of-everything', WORD],
  claims: {},
  issuedAt: '2026-03-01T10:00:00.000Z',
  expiresAt: '2026-03-02T10:00:00.000Z',
})
const account = (id: string) => ({
  id,
  subject: 'ada',
  createdAt: '2026-02-01T10:00:00.000Z',
  lastSignInAt: '2026-03-01T10:00:00.000Z',
})
const signedIn: HomePageOptions = {
  ...signedOut(3),
  now: new Date('2026-03-01T12:30:00.000Z'),
  user: { id: 'u1', displayName: NAME, email: EMAIL, emailVerified: false },
  session: session('s0'),
  accounts: [
    { ...account('a0'), providerId: 'p1', current: true },
    { ...account('a1'), providerId: 'removed-provider', current: false },
  ],
  sessions: [
    { session: session('s0'), current: true },
    { session: session('s1'), current: false, userAgent: 'x'.repeat(300) },
  ],
}
const demo = {
  issuer: `http://${'a'.repeat(60)}.localhost:9094`,
  accounts: [{ name: NAME, email: EMAIL }],
}
const demoAccount = { id: 'pablo', name: NAME, email: EMAIL }
const error = (error: AuthError): string =>
  errorPage({ ...errorWords(error), code: error.code, requestId: 'x'.repeat(128) })

const PAGES: Readonly<Record<string, string>> = {
  'sign-in with no provider': homePage(signedOut(0)),
  'sign-in with one provider and demo accounts': homePage({ ...signedOut(1), demo }),
  'sign-in with three providers': homePage({ ...signedOut(3), lastProviderId: 'p1' }),
  'sign-in with twelve providers': homePage(signedOut(12)),
  'sign-in with a password': homePage({
    ...signedOut(0),
    interactive: false,
    passwordForms: { signIn: '/in', signUp: '/up' },
    notice: 'The e-mail address or the password is wrong.',
  }),
  'sign-in elsewhere': homePage({ ...signedOut(0), interactive: false, signInHint: '/login' }),
  'signed-in home': homePage(signedIn),
  'an error': error(new AuthError('AUTH_TRANSACTION_EXPIRED', `${WORD} ${NAME}`)),
  'an error with fixed words': error(new AuthError('METHOD_NOT_ALLOWED', 'Use one of: POST.')),
  'accounts of the local provider': loginPage({
    action: '/',
    client: WORD,
    accounts: [demoAccount],
  }),
  'consent of the local provider': consentPage({
    action: '/',
    client: WORD,
    account: demoAccount,
    scopes: ['openid', 'offline_access', WORD],
    switchHref: '/',
  }),
  'sign-out of the local provider': logoutPage('<form id="op.logoutForm"></form>', WORD),
  'a message of the local provider': messagePage({
    title: 'Signed out',
    text: NAME,
    link: { href: '/', label: WORD },
  }),
}

describeWithBrowser('the layout of', () => {
  let browser: Browser
  let server: Server
  let origin: string

  beforeAll(async () => {
    const app = express()
    app.get(stylesheet.path, serveAsset(stylesheet))
    app.use(createApiDocs(() => createOpenApiDocument({ serverUrl: 'http://localhost' })))
    app.get('/pages/:name', (req, res) => void res.type('html').send(PAGES[req.params.name]))
    server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    server.closeAllConnections()
    server.close()
  })

  async function open(path: string, width: number) {
    const page = await browser.newPage({ viewport: { width, height: 800 } })
    await page.goto(`${origin}${path}`)
    return page
  }

  it.each(Object.keys(PAGES))(
    '%s fits the screen, with targets of 44 px and a focus ring',
    async (name) => {
      for (const width of [320, 390, 1280]) {
        const page = await open(`/pages/${encodeURIComponent(name)}`, width)
        // The script of the page shows them.
        await page.evaluate(() => {
          for (const button of document.querySelectorAll('[data-revoke], [data-unlink]')) {
            button.removeAttribute('hidden')
          }
        })
        const faults = await page.evaluate(() => {
          const nameOf = (element: Element) =>
            (element.textContent?.trim() || element.outerHTML).slice(0, 40)
          const visible = (element: Element) => element.getBoundingClientRect().height > 0
          const wide = [...document.querySelectorAll('body *')].filter(
            (element) => visible(element) && element.getBoundingClientRect().right > innerWidth,
          )
          const controls = [...document.querySelectorAll<HTMLElement>('a, button, input')].filter(
            visible,
          )
          const small = controls.filter((element) => element.getBoundingClientRect().height < 44)
          // TypeScript 5.9 does not know it.
          const visibly: FocusOptions & { focusVisible: boolean } = { focusVisible: true }
          const unfocused = controls.filter((element) => {
            element.focus(visibly)
            return parseFloat(getComputedStyle(element).outlineWidth) < 2
          })
          return {
            wide: wide.map(nameOf),
            small: small.map(nameOf),
            unfocused: unfocused.map(nameOf),
            gap:
              document.querySelector('main')!.getBoundingClientRect().bottom -
                Math.max(
                  ...[...document.querySelectorAll('main > *')]
                    .filter(visible)
                    .map((element) => element.getBoundingClientRect().bottom),
                ) >
              48,
          }
        })
        await page.close()
        expect({ width, ...faults }).toEqual({
          width,
          wide: [],
          small: [],
          unfocused: [],
          gap: false,
        })
      }
    },
  )

  it('the API documentation cuts nothing on a phone', async () => {
    const page = await open('/docs', 390)
    await page.locator('.opblock-summary-control').last().waitFor()
    const opened = await page.evaluate(() => {
      const controls = [...document.querySelectorAll<HTMLElement>('.opblock-summary-control')]
      for (const control of controls) control.click()
      return controls.length
    })
    await expect.poll(() => page.locator('.responses-table').count()).toBe(opened)
    const faults = await page.evaluate(() => {
      const cells = [...document.querySelectorAll('td, th, h2, p')]
      const texts = cells.filter((cell) => cell.getBoundingClientRect().height > 0)
      return {
        links: texts.filter((cell) => cell.textContent === 'No links').length,
        wide: texts.filter((cell) => cell.getBoundingClientRect().right > innerWidth).length,
        narrow: texts
          .filter((cell) => cell.getBoundingClientRect().width < 24 && cell.textContent)
          .map((cell) => cell.textContent),
      }
    })
    await page.close()
    expect(faults).toEqual({ links: 0, wide: 0, narrow: [] })
  })
})
