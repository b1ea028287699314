import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startDevelopment } from '../local/development.js'
import { createLogger } from '../log.js'
import { launchBrowser } from './support/browser.js'
import { takeWorkspacePicture } from './support/workspace-picture.js'

/** Takes the pictures of the README from a service that runs as `npm start` would run it. */
const directory = new URL('./pictures/', import.meta.url).pathname
const dataDir = await mkdtemp(join(tmpdir(), 'netscript-pictures-'))
const running = await startDevelopment({
  env: { NETSCRIPT_AUTH_DATA_DIR: dataDir },
  logger: () => createLogger('silent'),
  onProgress: () => undefined,
})
const { origin } = running.config
const browser = await launchBrowser()
try {
  await takePagePicture(browser)
  await takeSwaggerPicture(browser)
  await takeWorkspacePicture(browser, join(directory, 'workspace.png'))
} finally {
  await browser.close()
  await running.close()
  await rm(dataDir, { recursive: true, force: true })
}

/** Signed out and signed in, side by side. */
async function takePagePicture(browser: Browser): Promise<void> {
  const page = await browser.newPage({
    viewport: { width: 480, height: 780 },
    deviceScaleFactor: 2,
  })
  await page.goto(origin)
  const before = await page.screenshot()
  await signIn(page)
  const after = await page.screenshot()
  const both = await browser.newPage({
    viewport: { width: 984, height: 780 },
    deviceScaleFactor: 2,
  })
  const image = (png: Buffer): string =>
    `<img width="480" height="780" src="data:image/png;base64,${png.toString('base64')}">`
  await both.setContent(
    `<body style="margin:0;display:flex;gap:24px">${image(before)}${image(after)}</body>`,
  )
  await both.screenshot({ path: join(directory, 'page.png') })
  await both.close()
  await page.close()
}

async function signIn(page: Page): Promise<void> {
  await page.getByRole('button', { name: /local/i }).click()
  await page.getByRole('button', { name: /Ada Lovelace/ }).click()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.waitForURL(`${origin}/`)
}

/** Swagger UI with an answer from the service in it. */
async function takeSwaggerPicture(browser: Browser): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1280 } })
  await page.goto(origin)
  await signIn(page)
  await page.goto(`${origin}/docs`)
  const me = page.locator('.opblock', { hasText: '/api/v1/auth/me' })
  await me.locator('.opblock-summary').click()
  const execute = me.getByRole('button', { name: 'Execute' })
  if (!(await execute.isVisible())) await me.getByRole('button', { name: /try it out/i }).click()
  await execute.click()
  await me.locator('.responses-table.live-responses-table').waitFor()
  await page
    .locator('.opblock-tag')
    .first()
    .evaluate((tag) => tag.scrollIntoView())
  await page.screenshot({ path: join(directory, 'swagger-ui.png') })
  await page.close()
}
