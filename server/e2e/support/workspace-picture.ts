import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startExample } from '../../local/run-example.js'
import { freePort } from '../../local/loopback.js'
import { createLogger } from '../../log.js'

const SIZE = { width: 620, height: 400 }

/** Takes the picture of the workspace example: members in the light, sessions in the dark. */
export async function takeWorkspacePicture(browser: Browser, path: string): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'netscript-workspace-picture-'))
  const example = await startExample({
    env: { PORT: String(await freePort()), NETSCRIPT_AUTH_DATA_DIR: place },
    logger: () => createLogger('silent'),
    onProgress: () => undefined,
  })
  try {
    const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: 2 })
    const elsewhere = await browser.newPage()
    await signIn(elsewhere, example.origin)
    await signIn(page, example.origin)
    await page.getByRole('button', { name: 'Ask for it' }).click()
    await page.getByText('workspace:read').waitFor()
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByText('you', { exact: true }).waitFor()
    const members = await page.screenshot()
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByRole('button', { name: 'Sign out other devices' }).focus()
    await page.emulateMedia({ colorScheme: 'dark' })
    const sessions = await page.screenshot()
    await sideBySide(browser, [members, sessions], path)
  } finally {
    await example.close()
    await rm(place, { recursive: true, force: true })
  }
}

async function signIn(page: Page, origin: string): Promise<void> {
  await page.goto(origin)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: /Ada Lovelace/ }).click()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.getByRole('button', { name: 'Ask for it' }).waitFor()
}

async function sideBySide(browser: Browser, shots: readonly Buffer[], path: string): Promise<void> {
  const { width, height } = SIZE
  const viewport = { width: width * shots.length + 24, height }
  const both = await browser.newPage({ viewport, deviceScaleFactor: 2 })
  const images = shots.map(
    (png) => `<img width="${width}" src="data:image/png;base64,${png.toString('base64')}">`,
  )
  await both.setContent(`<body style="margin:0;display:flex;gap:24px">${images.join('')}</body>`)
  await both.screenshot({ path })
  await both.close()
}
