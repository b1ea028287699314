import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOpenApiDocument } from '../openapi/document.js'
import { createApiDocs } from './api-docs.js'

interface Service {
  origin: string
  close(): Promise<void>
  /** Headers of the requests that reached the API, by path. */
  seen: Map<string, Record<string, unknown>>
}

/** Mounts the router in an app with recognizable responses for me and signin. */
async function serve(options?: Parameters<typeof createApiDocs>[1]): Promise<Service> {
  const seen: Service['seen'] = new Map()
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  app.use('/api', (req, res) => {
    seen.set(`${req.method} ${req.originalUrl}`, req.headers)
    res.json({ authenticated: false, answeredBy: 'the test' })
  })
  app.use(createApiDocs(() => createOpenApiDocument({ serverUrl: origin }), options))
  return {
    origin,
    seen,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

let service: Service
beforeAll(async () => {
  service = await serve()
})
afterAll(() => service.close())

describe('GET /openapi.json', () => {
  it('is the document, and 304 when the caller has it', async () => {
    const first = await fetch(`${service.origin}/openapi.json`)
    expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(first.headers.get('cache-control')).toBe('no-cache')
    expect(await first.json()).toEqual(createOpenApiDocument({ serverUrl: service.origin }))
    const etag = first.headers.get('etag') ?? ''
    const again = await fetch(`${service.origin}/openapi.json`, {
      // Without this header fetch adds no-cache, which requests the full response.
      headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' },
    })
    expect(again.status).toBe(304)
  })

  it('is served when Swagger UI is off', async () => {
    const bare = await serve({ ui: false })
    try {
      expect((await fetch(`${bare.origin}/openapi.json`)).status).toBe(200)
      expect((await fetch(`${bare.origin}/docs`)).status).toBe(404)
      expect((await fetch(`${bare.origin}/docs/swagger-ui.css`)).status).toBe(404)
    } finally {
      await bare.close()
    }
  })
})

describe('GET /docs', () => {
  it.each(['index.html', 'swagger-initializer.js', 'oauth2-redirect.html', 'package.json'])(
    "does not serve swagger-ui-dist's %s",
    async (file) => {
      expect((await fetch(`${service.origin}/docs/${file}`)).status).toBe(404)
    },
  )

  describe('in Chromium', () => {
    let browser: Browser
    let page: Page
    const complaints: string[] = []
    const requested = new Set<string>()

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-dev-shm-usage',
          '--disable-background-networking',
          '--disable-component-update',
        ],
      })
      const context = await browser.newContext({ viewport: { width: 1280, height: 1000 } })
      await context.addCookies([
        {
          name: 'ns_session',
          value: 'token',
          url: service.origin,
          httpOnly: true,
          sameSite: 'Lax',
        },
      ])
      page = await context.newPage()
      page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url())
        if (protocol !== 'data:') requested.add(origin)
      })
      page.on('console', (message) => {
        if (message.type() !== 'log') complaints.push(`${message.type()}: ${message.text()}`)
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      await page.goto(`${service.origin}/docs/`)
      await page.getByText('Start a sign-in').waitFor()
    })
    afterAll(() => browser?.close())

    it('shows every operation under the service title, without the top bar', async () => {
      expect(page.url()).toBe(`${service.origin}/docs`)
      expect(await page.title()).toBe('API reference · NetScript Auth')
      const operations = Object.values(createOpenApiDocument().paths).flatMap((item) =>
        Object.keys(item),
      )
      expect(await page.locator('.opblock').count()).toBe(operations.length)
      expect(await page.locator('.topbar').count()).toBe(0)
    })

    it('tries GET /me with the cookie', async () => {
      const me = page.locator('#operations-Authentication-me')
      await me.locator('.opblock-summary-control').click()
      await me.getByRole('button', { name: 'Execute' }).click()
      await me.locator('.live-responses-table', { hasText: 'the test' }).waitFor()
      expect(service.seen.get('GET /api/v1/auth/me')?.cookie).toBe('ns_session=token')
    })

    it('tries POST /signin with the Origin that the service requires', async () => {
      const signin = page.locator('#operations-Authentication-signin')
      await signin.locator('.opblock-summary-control').click()
      await signin.getByRole('button', { name: 'Execute' }).click()
      await signin.locator('.live-responses-table', { hasText: 'the test' }).waitFor()
      expect(service.seen.get('POST /api/v1/auth/signin')).toMatchObject({
        origin: service.origin,
        'content-type': 'application/json',
      })
    })

    it.each([
      ['light', 390],
      ['light', 1280],
      ['dark', 390],
      ['dark', 1280],
    ] as const)(
      'fits the screen and follows its colours: %s, %d px',
      async (colorScheme, width) => {
        const shown = await browser.newPage({ colorScheme, viewport: { width, height: 900 } })
        try {
          await shown.goto(`${service.origin}/docs`)
          const signin = shown.locator('#operations-Authentication-signin')
          await signin.locator('.opblock-summary-control').click()
          await signin.locator('.response[data-code="429"]').first().waitFor()
          const [scrolls, background, examples] = await shown.evaluate(() => [
            document.documentElement.scrollWidth,
            getComputedStyle(document.documentElement).backgroundColor,
            [...document.querySelectorAll('.response[data-code^="4"] .highlight-code')].filter(
              (element) => element.getClientRects().length > 0,
            ).length,
          ])
          expect(scrolls).toBeLessThanOrEqual(width)
          expect(background).toBe(colorScheme === 'dark' ? 'rgb(28, 32, 34)' : 'rgba(0, 0, 0, 0)')
          // Nine error responses with an example each made the operation seven screens long.
          expect(examples).toBe(0)
        } finally {
          await shown.close()
        }
      },
    )

    it('leaves error empty in a callback that is tried out with a code', async () => {
      const callback = page.locator('#operations-Authentication-callback')
      await callback.locator('.opblock-summary-control').click()
      const value = (name: string) =>
        callback.locator(`tr[data-param-name="${name}"] input`).inputValue()
      expect(await value('code')).not.toBe('')
      expect(await value('error')).toBe('')
      expect(await value('error_description')).toBe('')
    })

    it('requests no other origin and violates no content security policy', async () => {
      const response = await fetch(`${service.origin}/docs`)
      const policy = response.headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
      expect([...requested]).toEqual([service.origin])
      expect(complaints).toEqual([])
    })
  })
})
