import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createEmptyTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/loopback.js'
import { startLocalProvider } from '../local/provider.js'
import { findChromium, launchBrowser, MISSING } from './support/browser.js'
import { isInstall, readSections, routesOf, type Section } from './support/guide-sections.js'
import { APPS, GUARDS, INSTALLED } from './support/host-apps.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, personsEnvironment, type RunningShell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

// Installing and building are slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 1_200_000 })

const HOSTS = Object.keys(APPS)
/** Hosts whose example has a page. */
const WITH_PAGE = ['Next.js', 'SvelteKit']

let directory: string
let registry: Registry
let database: TestDatabase
let provider: Awaited<ReturnType<typeof startLocalProvider>>
let browser: Browser | undefined
let environment: Record<string, string | undefined>
let hosts: ReadonlyMap<string, Section>
let guards: ReadonlyMap<string, Section>
const ports = new Map<string, number>()
const running: RunningShell[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-hosts-'))
  hosts = await readSections('server/HOSTS.md')
  const [express] = await readSections('client/guard/README.md')
  guards = new Map([
    ...(express ? [express] : []),
    ...(await readSections('client/guard/FRAMEWORKS.md')),
  ])
  for (const host of HOSTS) ports.set(host, await freePort())
  const origins = [...ports.values()].map((port) => `http://localhost:${port}`)
  const client = { clientId: 'hosts', clientSecret: 'a secret of the client' }
  ;[registry, database, provider] = await Promise.all([
    startRegistry(),
    createEmptyTestDatabase(),
    startLocalProvider({
      ...client,
      redirectUris: origins.map((origin) => `${origin}/api/v1/auth/callback`),
      postLogoutRedirectUris: origins.map((origin) => `${origin}/api/v1/auth/logged-out`),
    }),
  ])
  if (findChromium() !== undefined || process.env.CI === 'true') browser = await launchBrowser()
  const path = [join(directory, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  environment = { ...personsEnvironment(), PATH: path, NEXT_TELEMETRY_DISABLED: '1' }
  const write = (file: string, text: string) => writeFile(join(directory, file), text)
  await write('.npmrc', registry.npmrc)
  await write('package.json', '{"private":true,"type":"module"}')
  await write(
    '.env',
    [
      `DATABASE_URL=${database.url}`,
      'NETSCRIPT_AUTH_PROVIDER_ID=local',
      `NETSCRIPT_AUTH_ISSUER=${provider.issuer}`,
      `NETSCRIPT_AUTH_CLIENT_ID=${client.clientId}`,
      `NETSCRIPT_AUTH_CLIENT_SECRET="${client.clientSecret}"`,
      'NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true',
      'NETSCRIPT_AUTH_TOKEN_AUDIENCES=https://orders.example\n',
    ].join('\n'),
  )
  const run = runIn(directory)
  const packages = Object.entries(INSTALLED).map(([name, version]) => `${name}@${version}`)
  await run(`npm install --no-audit --no-fund --prefer-offline ${packages.join(' ')}`)
  const { commands = [] } = hosts.get('Prepare') ?? {}
  const own = commands.filter((line) => /secret generate|db migrate/.test(line))
  expect(own).toHaveLength(2)
  for (const line of own) await run(line)
})
afterAll(async () => {
  await Promise.all(running.map((service) => service.interrupt()))
  await browser?.close()
  await registry?.close()
  await provider?.stop()
  await database?.drop()
  await rm(directory, { recursive: true, force: true })
})

/** Runs command lines that must succeed. */
function runIn(place: string, more: Record<string, string> = {}) {
  const shell = createShell(place, { ...environment, ...more })
  return async (line: string): Promise<void> => {
    const { code, output } = await shell.run(line)
    if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
  }
}

const sectionOf = (guide: ReadonlyMap<string, Section>, heading = ''): Section => {
  const section = guide.get(heading)
  if (!section) throw new Error(`A guide has no heading ${heading}.`)
  return section
}

/** Writes the files of an app into a directory of its own. */
async function save(name: string, files: readonly (readonly [string, string])[]): Promise<string> {
  const place = join(directory, name.replace(/\W/g, '-').toLowerCase())
  const manifest = ['package.json', '{"private":true,"type":"module"}'] as const
  for (const [path, text] of [manifest, ...files]) {
    await mkdir(join(place, dirname(path)), { recursive: true })
    await writeFile(join(place, path), text)
  }
  await symlink(join(directory, 'node_modules'), join(place, 'node_modules'))
  return place
}

/** Starts a command line that serves at `origin`. */
async function serve(place: string, line: string, origin: string, more: object = {}) {
  const service = createShell(place, { ...environment, ...more }).start(line)
  running.push(service)
  await vi
    .waitFor(() => fetch(origin), { timeout: 120_000, interval: 200 })
    .catch(() => Promise.reject(new Error(`${line} serves nothing:\n${service.output()}`)))
}

/** Where a host serves the API, and where the app is whose routes are guarded. */
interface Origins {
  readonly origin: string
  readonly guarded: string
}

/** Follows the section of a host, and that of its guard, each as it is written but for origins and ports. */
async function start(host: string): Promise<Origins> {
  const section = sectionOf(hosts, host)
  const guard = sectionOf(guards, GUARDS[host])
  const port = String(ports.get(host))
  const origin = `http://localhost:${port}`
  const own = (text: string): string => text.replaceAll('3000', port)
  const atOrigin = ([path, text]: readonly [string, string]) =>
    [path, text.replaceAll('http://localhost:8094', origin)] as const
  const guardCommands = guard.commands.filter((line) => !isInstall(line))
  // A guard without a command line is part of the app that has the API.
  const isPart = guardCommands.length === 0
  const place = await save(host, [
    ['.env', await readFile(join(directory, '.env'), 'utf8')],
    ...Object.entries(APPS[host] ?? {}),
    ...section.files.map(([path, text]) => [path, own(text)] as const),
    ...routesOf(isPart ? [section, guard] : [section]),
    ...(isPart ? guard.files.map(atOrigin).map(([path, text]) => [path, own(text)] as const) : []),
  ])
  const redirectUri = `${origin}/api/v1/auth/callback`
  await runIn(place)(`echo NETSCRIPT_AUTH_REDIRECT_URI=${redirectUri} >> .env`)
  const commands = section.commands.filter((line) => !isInstall(line)).map(own)
  const last = commands.pop() ?? ''
  for (const line of commands) await runIn(place)(line)
  await serve(place, last, origin, { PORT: port })
  if (isPart) return { origin, guarded: origin }

  const otherPort = String(await freePort())
  const guarded = `http://localhost:${otherPort}`
  const other = (text: string): string => text.replaceAll('3000', otherPort)
  const files = guard.files.map(atOrigin).map(([path, text]) => [path, other(text)] as const)
  await serve(await save(`${host}-guarded`, files), other(guardCommands.at(-1) ?? ''), guarded)
  return { origin, guarded }
}

/** Every path of the API, and what a user does, as a browser without scripts. */
async function walk(origin: string): Promise<void> {
  const agent = createUserAgent(origin)
  expect(await me(agent)).toEqual({ authenticated: false })
  const keys = await agent.fetch('/.well-known/jwks.json')
  expect(await keys.json()).toMatchObject({ keys: [{ kty: 'EC' }] })
  const callback = await signIn(agent)
  expect(callback.headers.get('location')).toBe(`${origin}/`)
  expect(await me(agent)).toMatchObject({ user: { displayName: 'Ada Lovelace' } })
  const stylesheet = await agent.fetch('/api/v1/auth/auth.css')
  expect(stylesheet.headers.get('content-type')).toContain('text/css')
  const unknown = await agent.fetch('/api/v1/auth/sessions/unknown', {
    method: 'DELETE',
    headers: { origin },
  })
  expect(await unknown.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  const options = await agent.fetch('/api/v1/auth/me', { method: 'OPTIONS' })
  expect(options.headers.get('allow')).toBe('GET, HEAD')
  const signedOut = await agent.fetch('/api/v1/auth/signout', {
    ...{ method: 'POST', body: new URLSearchParams(), headers: { origin } },
  })
  expect(signedOut.status).toBe(303)
  expect(await me(agent)).toEqual({ authenticated: false })
}

/** What a guarded app responds to a request for the orders of a user. */
async function ordersOf(host: string, guarded: string, agent: UserAgent) {
  const isRpc = host === 'node:http'
  const url = `${guarded}${host === 'Next.js' ? '/api/orders' : '/orders'}`
  const response = await (isRpc ? agent.post(url) : agent.fetch(url))
  const body = (await response.json()) as { json?: object }
  const type = response.headers.get('content-type')?.split(';', 1)[0]
  return { status: response.status, type, body: isRpc ? body.json : body }
}

/** A route behind a guard, which the session of the API opens. */
async function walkGuarded(host: string, { origin, guarded }: Origins): Promise<void> {
  const agent = createUserAgent(origin)
  const refused = {
    status: 401,
    type: host === 'node:http' ? 'application/json' : 'application/problem+json',
    body: { status: 401, code: 'UNAUTHORIZED' },
  }
  expect(await ordersOf(host, guarded, agent)).toMatchObject(refused)
  await signIn(agent)
  const { user } = await me(agent)
  const found = { status: 200, type: 'application/json', body: { ordersOf: user.id } }
  expect(await ordersOf(host, guarded, agent)).toEqual(found)
  if (host === 'Next.js') expect(await (await agent.fetch('/orders')).text()).toContain(user.id)
  await agent.post('/api/v1/auth/signout')
  expect(await ordersOf(host, guarded, agent)).toMatchObject(refused)
}

/** The same in a browser, from the page of the example, or from that of the API where a proxy redirects. */
async function browse(origin: string): Promise<void> {
  const context = await browser?.newContext()
  if (!context) return console.warn(MISSING)
  const page = await context.newPage()
  await page.goto(origin)
  await page.getByRole('button', { name: /^(Sign in|Continue with )/ }).click()
  await page.getByRole('button', { name: 'Grace Hopper' }).click()
  await page.getByRole('button', { name: 'Allow', exact: true }).click()
  await page.waitForURL(`${origin}/`)
  const ask = (path: string, init?: RequestInit) =>
    page.evaluate(async ([at, options]) => (await fetch(at, options)).json() as Promise<object>, [
      `/api/v1/auth/${path}`,
      init,
    ] as const)
  expect(await ask('me')).toMatchObject({ user: { displayName: 'Grace Hopper' } })
  const type = { 'content-type': 'application/json' }
  await ask('signout', { method: 'POST', body: '{}', headers: type })
  expect(await ask('me')).toEqual({ authenticated: false })
  await context.close()
}

describe('the guides to hosts and guards', () => {
  it.concurrent.each(HOSTS)('signs in and guards with %s, as the sections say', async (host) => {
    const origins = await start(host)
    await walk(origins.origin)
    await walkGuarded(host, origins)
    if (WITH_PAGE.includes(host)) await browse(origins.origin)
  })

  it('have no example of more than ten lines, except for pages', () => {
    const saved = [...hosts.values(), ...guards.values()].flatMap(({ files }) => files)
    const modules = saved.filter(([path]) => !path.endsWith('.tsx'))
    const long = modules.filter(([, text]) => text.split('\n').filter(Boolean).length > 10)
    expect(saved.length).toBeGreaterThanOrEqual(2 * HOSTS.length)
    expect(long).toEqual([])
  })

  it('have no guard that is not run', () => {
    const guarded = [...guards].filter(([, { files }]) => files.length > 0)
    expect(guarded.map(([heading]) => heading).sort()).toEqual(Object.values(GUARDS).sort())
  })

  it('install what this test installs', () => {
    const sections = [...hosts.values(), ...guards.values()]
    const lines = sections.flatMap(({ commands }) => commands.filter(isInstall))
    const packages = lines.flatMap((line) => line.split(' ').slice(2))
    const names = packages.filter((name) => !name.startsWith('-'))
    expect(names.filter((name) => !(name in INSTALLED))).toEqual([])
  })
})
