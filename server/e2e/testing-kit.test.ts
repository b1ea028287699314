import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import root from '../../package.json' with { type: 'json' }
import { freePort } from '../local/loopback.js'
import { findChromium } from './support/browser.js'
import { describeWithBrowser } from './support/describe-with-browser.js'
import { type Block, readDocument } from './support/documents.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, personsEnvironment, type Shell } from './support/shell.js'

// Installing is slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const { vitest, tsx, msw, '@playwright/test': playwright } = root.devDependencies

/** What the guide installs, in one go and in the versions of this repository. */
const INSTALLED = [
  ...['testing', 'guard', 'client'].map((name) => `@netscript/auth-${name}`),
  ...['@netscript/plugin-auth', `vitest@${vitest}`, `tsx@${tsx}`, `msw@${msw}`],
  ...[`@playwright/test@${playwright}`, 'jest@30', 'jest-environment-jsdom@30'],
  ...['@babel/preset-env@7', 'jsdom@26'],
].join(' ')

let directory: string
let registry: Registry
let shell: Shell
let blocks: readonly Block[]
let port: number
const followed = new Set<Block>()

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-testing-kit-'))
  registry = await startRegistry()
  port = await freePort()
  blocks = (await readDocument('server/testing/README.md')).blocks
  shell = createShell(directory, { ...personsEnvironment(), NO_COLOR: '1' })
  await writeFile(join(directory, '.npmrc'), registry.npmrc)
  await writeFile(join(directory, 'package.json'), '{"private":true,"type":"module"}')
  await ok(`npm install --prefer-offline --no-audit --no-fund --ignore-scripts ${INSTALLED}`)
  await write('orders.ts', 'export const createOrders')
})
afterAll(async () => {
  await registry?.close()
  await rm(directory, { recursive: true, force: true })
})

/** The block that has this text. */
function block(text: string): Block {
  const found = blocks.filter((one) => one.text.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} blocks have ${text}.`)
  followed.add(found[0]!)
  return found[0]!
}

/** Writes a block to the file that the guide names. */
async function write(file: string, text: string): Promise<void> {
  const { text: code } = block(text)
  // The one that listens.
  const own = file === 'app.spec.ts' ? code.replaceAll('3000', String(port)) : code
  await writeFile(join(directory, file), own)
}

/** Runs a command of the guide, that must succeed; returns its output. */
async function ok(line: string): Promise<string> {
  const { code, output } = await shell.run(line)
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
  return output
}

/** Runs the line of the guide that has this text. */
const run = (text: string): Promise<string> => {
  const line = block(text)
    .text.split('\n')
    .find((one) => one.includes(text))
  return ok(line ?? '')
}

it('runs the tests of the guide in Vitest, also in jsdom', async () => {
  const files = {
    'orders.test.ts': 'await ada.revoke()\n  expect((await orders',
    'clock.test.ts': 'a session ends when it is not used',
    'token.test.ts': 'a service verifies a token',
    'fixed.test.ts': 'test.each',
    'page.test.ts': 'a page signs a user in',
    'msw.test.ts': 'a page shows the user',
  }
  for (const [file, text] of Object.entries(files)) await write(file, text)
  expect(await run('npx vitest run orders.test.ts')).toMatch(/Tests +1 passed/)
  const output = await ok('npx vitest run --exclude orders.test.ts')
  expect(output).toMatch(/Test Files +5 passed/)
})

it('runs the test of the guide in node:test, whose process ends by itself', async () => {
  await write('orders.node.ts', "from 'node:test'")
  expect(await run('npx tsx --test')).toMatch(/# pass 1\n# fail 0/)
})

describe('Jest', () => {
  it('runs CommonJS without settings, in node and jsdom', async () => {
    await write('session.test.cjs', 'const me = async')
    expect(await run("jest --testMatch '**/session.test.cjs'")).toMatch(/Tests: +1 passed/)
    const inJsdom = await ok("npx jest --env jsdom --testMatch '**/session.test.cjs'")
    expect(inJsdom).toMatch(/Tests: +1 passed/)
  })

  it('runs CommonJS with a guard, which Babel compiles', async () => {
    await write('jest.config.cjs', 'transformIgnorePatterns')
    await write('guard.test.cjs', 'a guard authenticates the user')
    expect(await run('npx jest --config jest.config.cjs')).toMatch(/Tests: +1 passed/)
  })

  it('runs ES modules', async () => {
    await write('session.test.js', "signInAs({ name: 'Ada' })\n  auth.clock")
    expect(await run('--experimental-vm-modules')).toMatch(/Tests: +1 passed/)
  })
})

describeWithBrowser('Playwright', () => {
  it.each([
    ['ES modules', 'module'],
    ['CommonJS', 'commonjs'],
  ])('signs a browser in by a storageState and by the page, in %s', async (_name, type) => {
    await ok(`npm pkg set type=${type}`)
    await write('app.ts', 'export const createApp')
    await write('app.spec.ts', 'the page greets the user')
    const launchOptions = { executablePath: findChromium(), args: ['--no-sandbox'] }
    const config = `export default ${JSON.stringify({ use: { launchOptions } })}`
    await writeFile(join(directory, 'playwright.config.ts'), config)
    expect(await run('npx playwright test')).toMatch(/1 passed/)
  })
})

it('has no block that was not run', () => {
  const isInstall = ({ text }: Block): boolean => text.startsWith('npm install ')
  expect(blocks.filter((one) => !followed.has(one) && !isInstall(one))).toEqual([])
})
