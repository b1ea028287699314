import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createEmptyTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/loopback.js'
import { type Block, readDocument } from './support/documents.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, personsEnvironment, type RunningShell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing is slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

let directory: string
let registry: Registry
let database: TestDatabase
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-getting-started-'))
  registry = await startRegistry()
  database = await createEmptyTestDatabase()
  await writeFile(join(directory, '.npmrc'), registry.npmrc)
})
afterAll(async () => {
  await registry?.close()
  await database?.drop()
  await rm(directory, { recursive: true, force: true })
})

/** Lines that need what a test does not have: another terminal, a container, or the Internet. */
const LEFT_OUT = [/^docker run /, /^npx netscript doctor$/]

it('works word by word in an empty directory', async () => {
  const { blocks } = await readDocument('server/GETTING-STARTED.md')
  const [port, other, provider] = [await freePort(), await freePort(), await freePort()]
  const own = (text: string): string =>
    text
      .replaceAll(':8094', `:${port}`)
      .replaceAll(':3000', `:${other}`)
      .replaceAll('listen(3000)', `listen(${other})`)
      .replaceAll(/postgres:\/\/\S+/g, database.url)
      .replaceAll('--client-id your-client-id', '--client-id your-client-id --client-secret-stdin')
  const shell = createShell(directory, {
    ...personsEnvironment(),
    PORT: String(port),
    NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT: String(provider),
  })
  const services: RunningShell[] = []
  const start = async (line: string, url: string): Promise<void> => {
    const service = shell.start(line)
    services.push(service)
    await vi
      .waitFor(() => fetch(url), { timeout: 60_000, interval: 200 })
      .catch(() => Promise.reject(new Error(`${line} serves nothing:\n${service.output()}`)))
  }
  const stop = async (): Promise<void> => {
    for (const service of services.splice(0)) await service.interrupt()
  }
  const app = `http://localhost:${other}`
  const agent = createUserAgent(`http://localhost:${port}`)

  /** Runs a block line by line; returns what the last line printed. */
  const run = async ({ text }: Block): Promise<string> => {
    let printed = ''
    for (const line of own(text).trim().split('\n')) {
      if (LEFT_OUT.some((pattern) => pattern.test(line))) continue
      if (line === 'npx netscript dev') {
        const service = shell.start(line)
        services.push(service)
        await service.waitFor('Sign-in is ready')
      } else if (line.startsWith('npx tsx ')) {
        await start(line, app)
      } else {
        const secret = line.includes('--client-secret-stdin') ? 'echo secret | ' : ''
        const { code, output } = await shell.run(secret + line)
        if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
        printed = output
      }
    }
    return printed
  }
  const next = (language: string, text: string): Block => {
    const block = blocks.find((one) => one.language === language && one.text.includes(text))
    if (!block) throw new Error(`No block has ${text}.`)
    followed.add(block)
    return block
  }
  const followed = new Set<Block>()

  try {
    await run(next('sh', 'npm init -y'))
    expect(await run(next('sh', 'auth/me'))).toContain('{"authenticated":false}')
    expect(JSON.parse(next('json', 'authenticated').text)).toEqual({ authenticated: false })
    expect((await signIn(agent, 'ada')).status).toBe(303)
    const { user } = await me(agent)

    await run(next('sh', '@netscript/auth-guard'))
    await writeFile(join(directory, 'orders.ts'), own(next('ts', 'requireSession').text))
    await run(next('sh', 'npx tsx orders.ts'))
    expect(await (await agent.fetch(`${app}/orders`)).json()).toEqual({ ordersOf: user.id })
    expect(await run(next('sh', `curl -i`))).toContain('401 Unauthorized')
    await stop()

    await run(next('sh', 'secret generate'))
    expect(
      await (await fetch(`http://localhost:${port}/api/v1/auth/describe`)).json(),
    ).toMatchObject({ providers: [{ id: 'google' }] })
    await stop()

    await run(next('sh', 'db migrate'))
    await writeFile(join(directory, 'app.ts'), own(next('ts', 'createAuthApp').text))
    await run(next('sh', 'npx tsx --env-file'))
    const page = await fetch(app)
    expect(await page.text()).toContain('action="/api/v1/auth/signin"')
    expect(await (await fetch(`${app}/api/v1/auth/me`)).json()).toEqual({ authenticated: false })
  } finally {
    await stop()
  }
  expect(blocks.filter((block) => !followed.has(block))).toEqual([])
})
