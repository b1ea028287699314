import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReturnToPolicy } from '../../../backends/return-to.js'
import { launchBrowser } from '../support/browser.js'
import { describeWithBrowser } from '../support/describe-with-browser.js'
import { completeLogin } from '../support/oidc-login.js'
import { startTestService, type TestService } from '../support/service.js'
import { createUserAgent } from '../support/user-agent.js'
import { leadsAway } from '../../attack/cases/return-targets.js'
import { eachOf, EVIL } from '../../attack/target.js'
import {
  hasLoneSurrogate,
  honestReturnTargets,
  hostileReturnTargets,
} from '../../attack/return-targets.js'

const ALLOWED = ['https://app.example.test', 'http://partner.example.test:8080']

describe('the corpus of return targets', () => {
  const own = 'http://localhost:8094'
  const corpus = hostileReturnTargets({ own, allowed: ALLOWED })
  const leaving = (accepts: (target: string) => boolean): string[] =>
    corpus.filter(accepts).filter((target) => {
      const url = URL.canParse(target, own) ? new URL(target, own) : undefined
      return url !== undefined && ![own, ...ALLOWED].includes(url.origin)
    })

  it('is large, and larger with every origin that is allowed', () => {
    expect(corpus.length).toBeGreaterThan(1_000)
    expect(hostileReturnTargets({ own, allowed: [] }).length).toBeGreaterThan(900)
  })

  it.each<[string, (target: string) => boolean]>([
    ['begins with a slash', (target) => target.startsWith('/')],
    ['begins with one slash', (target) => /^\/(?!\/)/.test(target)],
    ['begins with one slash, trimmed', (target) => /^\/(?![/\\])/.test(target.trim())],
    [
      'begins with an allowed origin',
      (target) => [own, ...ALLOWED].some((o) => target.startsWith(o)),
    ],
    ['contains the own host', (target) => target.includes('localhost:8094')],
    ['has no scheme', (target) => !/^[a-z]+:/i.test(target)],
    ['has no ://', (target) => !target.includes('://')],
    ['has the own host in the end', (target) => target.endsWith('localhost:8094')],
    ['is http or https', (target) => /^https?:/i.test(target)],
  ])('defeats a check that it %s', (_name, accepts) => {
    expect(leaving(accepts)).not.toEqual([])
  })

  it('tells addresses that lead away from those that stay (leadsAway)', () => {
    const [target, url] = honestReturnTargets({ own, allowed: ALLOWED })[0]!
    expect(target).toBe('/')
    expect(leadsAway(url, own, ALLOWED)).toBeUndefined()
    for (const address of [
      '/',
      '//evil.example',
      'https://evil.example/',
      'https://app.example.test.evil.example/',
      'https://user@app.example.test/',
      'https://APP.example.test/',
      `${own}//evil.example`,
      `${own}/%2F/evil.example`,
      `${own}/%2Fevil.example`,
      `${own}/%252Fevil.example`,
      `${own}/%5Cevil.example`,
      `${own}/..%2f%2fevil.example`,
      `${own}/%09/evil.example`,
      `${own}/%0d%0aSet-Cookie:x`,
      'javascript:attack(1)',
    ]) {
      expect(leadsAway(address, own, ALLOWED), address).toBeDefined()
    }
  })
})

describe('the return-target policy', () => {
  const own = 'https://auth.example.test:8443'
  const policy = createReturnToPolicy(own, ALLOWED)
  const seeds = hostileReturnTargets({ own, allowed: ALLOWED }).filter(({ length }) => length < 200)
  const piece = fc.oneof(
    fc.constantFrom(...seeds),
    fc.constantFrom(
      own,
      ...ALLOWED,
      EVIL,
      '/',
      '\\',
      '//',
      '@',
      ':',
      '?',
      '#',
      '.',
      '..',
      ';',
      '%',
    ),
    fc.constantFrom('%2f', '%5c', '%2e', '%25', '%252f', '%09', '%0a', '%00', '\t', '\n', '\u3002'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  )
  /** A sequence of pieces, with some letters escaped once more. */
  const target = fc
    .tuple(fc.array(piece, { minLength: 1, maxLength: 5 }), fc.nat(3), fc.boolean())
    .map(([pieces, escapes, rooted]) => {
      let text = (rooted ? '/' : '') + pieces.join('')
      for (let round = 0; round < escapes; round += 1)
        text = text.replace(/[/\\%.@:\t\n]/, escapeChar)
      return text
    })

  it('never redirects to another origin, whatever the pieces', () => {
    let accepted = 0
    fc.assert(
      fc.property(target, (text) => {
        let address: string
        try {
          address = policy.resolve(text)
        } catch {
          return
        }
        accepted += 1
        expect(leadsAway(address, own, ALLOWED)).toBeUndefined()
        // Accepted targets must be accepted again unchanged, because the callback checks a second time.
        expect(policy.resolve(address)).toBe(address)
      }),
      { numRuns: 20_000 },
    )
    expect(accepted).toBeGreaterThan(500)
  })
})

const escapeChar = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`

describe('accepted return targets in a browser', () => {
  let service: TestService
  let accepted: { target: string; address: string }[]
  beforeAll(async () => {
    service = await startTestService({
      env: {
        NETSCRIPT_AUTH_ALLOWED_RETURN_TO: ALLOWED.join(' '),
      },
    })
    accepted = await acceptedTargets(service)
  })
  afterAll(() => service.close())

  it('are some, and the same for a form that starts a sign-in', async () => {
    expect(accepted.length).toBeGreaterThan(100)
    const taken = new Set(accepted.map(({ target }) => target))
    const corpus = hostileReturnTargets({ own: service.origin, allowed: ALLOWED })
    await eachOf(
      corpus.filter((target) => !hasLoneSurrogate(target)),
      async (target) => {
        const response = await fetch(`${service.origin}/api/v1/auth/signin`, {
          method: 'POST',
          redirect: 'manual',
          headers: { origin: service.origin },
          body: new URLSearchParams({ redirectTo: target }),
        })
        await response.arrayBuffer()
        // An empty field counts as absent, which means the front page.
        expect(response.status, target).toBe(taken.has(target) || target === '' ? 303 : 422)
      },
    )
  })

  it('are where the callback redirects users', async () => {
    const agent = createUserAgent(service.origin)
    for (const { target, address } of accepted) {
      const response = await agent.post('/api/v1/auth/signin', { redirectTo: target })
      const { redirectUrl } = (await response.json()) as { redirectUrl: string }
      const url = await completeLogin(redirectUrl, { login: 'ada', cookieJar: agent.jar })
      const callback = await agent.fetch(url)
      expect(callback.status).toBe(303)
      expect(callback.headers.get('location')).toBe(address)
    }
  })

  describeWithBrowser('in Chromium', () => {
    let browser: Browser
    let elsewhere: Server
    beforeAll(async () => {
      browser = await launchBrowser()
      // Requests to any other host are answered here, so that none leaves the machine.
      elsewhere = createServer((_req, res) => res.end('elsewhere'))
      await new Promise<void>((done) => elsewhere.listen(0, '127.0.0.1', done))
    })
    afterAll(async () => {
      await browser.close()
      await new Promise((done) => elsewhere.close(done))
    })

    it('end on an allowed origin', async () => {
      const { port } = elsewhere.address() as AddressInfo
      const context = await browser.newContext({
        proxy: { server: `http://127.0.0.1:${port}`, bypass: new URL(service.origin).host },
      })
      const origins = new Set([service.origin, ...ALLOWED])
      const page = await context.newPage()
      // A page of the service without a policy that restricts form posts and navigation.
      await page.goto(`${service.origin}/health/live`)
      const visited = await followAll(
        page,
        `${service.origin}/api/v1/auth/signout`,
        accepted.map(({ target }) => target),
      )
      expect(visited).toHaveLength(accepted.length)
      expect(visited.filter((url) => !origins.has(new URL(url).origin))).toEqual([])
      // The browser followed every redirect.
      expect(new Set(visited.map((url) => new URL(url).origin))).toEqual(origins)
      await context.close()
    })
  })
})

/**
 * Posts a form for each target, each in a frame of its own, and returns the browser's requests after the
 * 303, which precede the check of any framing policy.
 */
function followAll(page: Page, action: string, targets: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const visited: string[] = []
    page.on('request', (request) => {
      if (request.redirectedFrom()?.url() !== action) return
      visited.push(request.url())
      if (visited.length === targets.length) resolve(visited)
    })
    page.evaluate(postForms, { action, targets }).catch(reject)
  })
}

/** Runs in the page. */
function postForms({ action, targets }: { action: string; targets: readonly string[] }): void {
  for (const [index, value] of targets.entries()) {
    const frame = document.createElement('iframe')
    frame.name = `frame-${index}`
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action, target: frame.name })
    const field = document.createElement('input')
    Object.assign(field, { name: 'redirectTo', value })
    form.append(field)
    document.body.append(frame, form)
    form.submit()
  }
}

async function acceptedTargets(
  service: TestService,
): Promise<{ target: string; address: string }[]> {
  const found: { target: string; address: string }[] = []
  const own = service.origin
  await eachOf(hostileReturnTargets({ own, allowed: ALLOWED }), async (target) => {
    if (hasLoneSurrogate(target)) return
    const response = await fetch(`${own}/api/v1/auth/signout`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirectTo: target }),
    })
    const { redirectTo } = (await response.json()) as { redirectTo?: string }
    if (response.status === 200 && redirectTo !== undefined) {
      found.push({ target, address: redirectTo })
    }
  })
  return found
}
