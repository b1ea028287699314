import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { type Example, startExample } from '../local/run-example.js'
import { freePort } from '../local/loopback.js'
import { createLogger } from '../log.js'
import { launchBrowser } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'

describeWithBrowser('the workspace example', () => {
  let place: string
  let database: TestDatabase
  let example: Example
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'netscript-example-'))
    database = await createTestDatabase()
    // For the build; the services get `env`.
    vi.stubEnv('NODE_ENV', 'production')
    example = await startExample({
      env: {
        PORT: String(await freePort()),
        DATABASE_URL: database.url,
        NETSCRIPT_AUTH_DATA_DIR: place,
        NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: '0',
      },
      logger: () => createLogger('silent'),
      onProgress: () => {},
      outDir: join(place, 'page'),
    })
    vi.unstubAllEnvs()
    browser = await launchBrowser()
    page = await browser.newPage()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await example?.close()
    await database?.drop()
    await rm(place, { recursive: true, force: true })
  })

  const button = (on: Page, name: string) => on.getByRole('button', { name, exact: true })
  const items = (on: Page) => on.getByRole('listitem').allInnerTexts()

  async function signIn(on: Page): Promise<void> {
    await button(on, 'Sign in').click()
    await on.getByRole('button', { name: /Ada Lovelace/ }).click()
    await button(on, 'Allow').click()
    await on.waitForURL(`${example.origin}/**`)
  }

  it('asks to sign in, requests the scope, and shows the members', async () => {
    const answers: number[] = []
    page.on('response', (answer) => {
      if (answer.url().endsWith('/members')) answers.push(answer.status())
    })
    await page.goto(example.origin)
    await page.getByText('Sign in to see who is here.').waitFor()
    expect(answers).toEqual([401])
    await signIn(page)
    await page.getByText('Your sign-in does not include workspace:read.').waitFor()
    expect(answers.slice(1)).toContain(403)
    expect(answers).not.toContain(200)
    await button(page, 'Ask for it').click()
    await page.getByText('workspace:read').waitFor()
    await button(page, 'Allow').click()
    await button(page, 'Join').click()
    await expect.poll(() => items(page)).toHaveLength(3)
    expect((await items(page)).at(-1)).toMatch(/^Ada Lovelace you/)
    expect(answers.at(-1)).toBe(200)
  })

  it('lets an admin remove a member, after a recent sign-in only', async () => {
    const remove = () =>
      page.evaluate(`fetch('/api/workspace/demo/members/founder-1', { method: 'DELETE' })
        .then(({ status, headers }) => [status, headers.get('www-authenticate') ?? ''])`)
    expect(await remove()).toEqual([403, ''])
    const pool = createPool(database.url)
    try {
      const operator = createOperator(pool)
      const [ada] = (await operator.findUsers({ text: 'ada@example.test' })).users
      await operator.addRoles(ada?.id ?? '', ['admin'])
      await pool.query(
        `UPDATE auth_keyv SET value = jsonb_set(value::jsonb, '{value,authTime}', '1000')::text
         WHERE user_id = $1`,
        [ada?.id],
      )
    } finally {
      await pool.end()
    }
    expect(await remove()).toEqual([
      401,
      expect.stringContaining('insufficient_user_authentication'),
    ])
    await page.reload()
    const cookie = async () =>
      (await page.context().cookies()).find(({ name }) => name === '__Host-ns_session')?.value
    const old = await cookie()
    await button(page, 'Remove Mary Jackson').click()
    // The page leads to the provider, which authenticated the user a moment ago, and back.
    await button(page, 'Allow').click()
    await page.waitForURL(`${example.origin}/**`)
    await expect.poll(cookie).not.toBe(old)
    await button(page, 'Remove Mary Jackson').click()
    await expect.poll(() => items(page)).toHaveLength(2)
  })

  it('calls the provider with the token of the user, and admits members of the domain only', async () => {
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByText('The provider knows you as Ada Lovelace, language en-GB.').waitFor()
    await page.getByRole('link', { name: 'Members' }).click()
    const context = await browser.newContext()
    const stranger = await context.newPage()
    await stranger.goto(example.origin)
    await button(stranger, 'Sign in').click()
    await stranger.getByRole('button', { name: /Katherine Johnson/ }).click()
    await button(stranger, 'Allow').click()
    await stranger
      .getByText(/may not sign in here/)
      .first()
      .waitFor()
    await context.close()
  })

  it('rejects forms from other sites without details', async () => {
    const answers = await page.evaluate(`Promise.all([
      fetch('/api/workspace/demo/members', { method: 'POST', body: new URLSearchParams() }),
      fetch('/api/workspace/%00/members'),
      fetch('/api/workspace/%/members'),
    ].map((asked) => asked.then(async (answer) => [answer.status, await answer.text()])))`)
    expect(answers).toEqual([
      [415, 'Unsupported Media Type'],
      [404, 'Not Found'],
      [400, 'Bad Request'],
    ])
  })

  it('shows where a user is signed in, and ends it elsewhere', async () => {
    const elsewhere = await browser.newContext()
    const other = await elsewhere.newPage()
    await other.goto(example.origin)
    await signIn(other)
    await other.getByText('Ada Lovelace').waitFor()
    await page.getByRole('link', { name: 'Sessions' }).click()
    await expect.poll(() => items(page)).toHaveLength(2)
    await button(page, 'Sign out other devices').click()
    await expect.poll(() => items(page)).toEqual([expect.stringContaining('this device')])
    await button(page, 'Sign out other devices').waitFor({ state: 'detached' })
    await other.reload()
    await button(other, 'Sign in').waitFor()
    await elsewhere.close()
  })

  it('can be used by keyboard', async () => {
    const stranger = await browser.newPage()
    await stranger.goto(`${example.origin}/#sessions`)
    await stranger.getByText('Sign in to see where you are signed in.').waitFor()
    const focused: unknown[] = []
    for (let tabs = 0; tabs < 3; tabs += 1) {
      await stranger.keyboard.press('Tab')
      focused.push(await stranger.evaluate('document.activeElement.textContent'))
    }
    expect(focused).toEqual(['Members', 'Sessions', 'Sign in'])
    await stranger.keyboard.press('Enter')
    await stranger.getByRole('button', { name: /Ada Lovelace/ }).waitFor()
    await stranger.close()
  })

  it('has no server code in its bundle', async () => {
    const assets = join(place, 'page/assets')
    const scripts = (await readdir(assets)).filter((name) => name.endsWith('.js'))
    expect(scripts).toHaveLength(1)
    const script = await readFile(join(assets, scripts[0] ?? ''), 'utf8')
    expect(script.includes('/api/v1/auth/me')).toBe(true)
    for (const foreign of ['ZodError', 'CREATE TABLE', 'NETSCRIPT_AUTH', '"node:', 'process.env']) {
      expect(script.includes(foreign), foreign).toBe(false)
    }
    expect(gzipSync(script).length).toBeLessThan(80_000)
  })
})
