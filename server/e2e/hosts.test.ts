import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createEmptyTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/free-port.js'
import { startLocalProvider } from '../local/provider.js'
import { findChromium, launchBrowser, MISSING } from './support/browser.js'
import { ROOT } from './support/documents.js'
import { GUARDED } from './support/guarded-routes.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, personsEnvironment, type RunningShell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing and building are slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 1_200_000 })

/** What the guide installs, and what an app of each framework has already. */
const INSTALLED: Readonly<Record<string, string>> = {
  '@netscript/plugin-auth': 'latest',
  '@netscript/auth-guard': 'latest',
  express: '5',
  fastify: '5',
  hono: '4',
  '@hono/node-server': '2',
  tsx: '4',
  next: '16',
  react: '19',
  'react-dom': '19',
  typescript: '5',
  '@types/node': '22',
  '@types/react': '19',
  svelte: '5',
  '@sveltejs/kit': '2',
  '@sveltejs/adapter-node': '5',
  '@sveltejs/vite-plugin-svelte': '6',
  vite: '7',
  'react-router': '7.18.4',
  '@react-router/dev': '7.18.4',
  '@react-router/node': '7.18.4',
  '@react-router/serve': '7.18.4',
  isbot: '5',
  bun: '1',
  deno: '2',
}

/** Files that an app has before it follows the guide, by the heading of the guide. */
const APPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...{ Express: {}, 'node:http': {}, Fastify: {}, Hono: {}, Bun: {}, Deno: {} },
  'Next.js': {
    'app/layout.tsx': `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}`,
  },
  SvelteKit: {
    'svelte.config.js': `import adapter from '@sveltejs/adapter-node'
export default { kit: { adapter: adapter() } }`,
    'vite.config.ts': `import { sveltekit } from '@sveltejs/kit/vite'
export default { plugins: [sveltekit()] }`,
    'src/app.html':
      '<html lang="en"><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
  },
  'React Router': {
    'package.json': `{ "type": "module", "dependencies": { "@react-router/node": "7", "isbot": "5" } }`,
    'vite.config.ts': `import { reactRouter } from '@react-router/dev/vite'
export default { plugins: [reactRouter()] }`,
    'app/root.tsx': `import { Outlet } from 'react-router'
export default function Root() {
  return <html lang="en"><body><Outlet /></body></html>
}`,
  },
}
const HOSTS = Object.keys(APPS)
/** Hosts whose example has a page. */
const WITH_PAGE = ['Next.js', 'SvelteKit']

/** A section of the guide: what it says to save and to run. */
interface Section {
  readonly text: string
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly commands: readonly string[]
}

async function readSections(): Promise<ReadonlyMap<string, Section>> {
  const guide = await readFile(`${ROOT}server/HOSTS.md`, 'utf8')
  const sections = guide.split(/^## /m).slice(1)
  return new Map(
    sections.map((text) => {
      const saved = text.matchAll(/[Ss]ave this as `([^`]+)`[^`]*```\w+\n([^]*?)```/g)
      const shells = text.matchAll(/```sh\n([^]*?)```/g)
      return [
        text.split('\n', 1)[0] ?? '',
        {
          text,
          files: [...saved].map(([, path = '', code = '']) => [path, code]),
          commands: [...shells].flatMap(([, lines = '']) => lines.trim().split('\n')),
        },
      ]
    }),
  )
}

const isInstall = (line: string): boolean => /^(npm install|bun add) /.test(line)

let directory: string
let registry: Registry
let database: TestDatabase
let provider: Awaited<ReturnType<typeof startLocalProvider>>
let browser: Browser | undefined
let environment: Record<string, string | undefined>
let sections: ReadonlyMap<string, Section>
const ports = new Map<string, number>()
const running: RunningShell[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'netscript-hosts-'))
  sections = await readSections()
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
  const { commands = [] } = sections.get('Prepare') ?? {}
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

/** Follows a section in a directory of its own; returns the origin of the app when it answers. */
async function start(host: string): Promise<string> {
  const section = sections.get(host)
  if (!section) throw new Error(`The guide has no heading ${host}.`)
  const port = String(ports.get(host))
  const origin = `http://localhost:${port}`
  const place = join(directory, host.replace(/\W/g, '-').toLowerCase())
  const own = (text: string): string => text.replaceAll('3000', port)
  const files: [string, string][] = [
    ['package.json', '{"private":true,"type":"module"}'],
    ['.env', await readFile(join(directory, '.env'), 'utf8')],
    ...Object.entries(APPS[host] ?? {}),
    ...section.files.map(([path, text]): [string, string] => [path, own(text)]),
    ...routesOf(section),
  ]
  for (const [path, text] of Object.entries(GUARDED[host] ?? {})) {
    const file = files.find(([saved]) => saved === path)
    if (!file) files.push([path, own(text)])
    else file[1] = file[1].replace(/^(?=(await )?app\.listen|serve\()/m, `${own(text)}\n`)
  }
  for (const [path, text] of files) {
    await mkdir(join(place, dirname(path)), { recursive: true })
    await writeFile(join(place, path), text)
  }
  await symlink(join(directory, 'node_modules'), join(place, 'node_modules'))
  const redirectUri = `${origin}/api/v1/auth/callback`
  await runIn(place)(`echo NETSCRIPT_AUTH_REDIRECT_URI=${redirectUri} >> .env`)
  const commands = section.commands.filter((line) => !isInstall(line)).map(own)
  const last = commands.pop() ?? ''
  for (const line of commands) await runIn(place)(line)
  const service = createShell(place, { ...environment, PORT: port }).start(last)
  running.push(service)
  await vi
    .waitFor(() => fetch(origin), { timeout: 120_000, interval: 200 })
    .catch(() => Promise.reject(new Error(`${last} serves nothing:\n${service.output()}`)))
  return origin
}

/** `app/routes.ts` of React Router, with the routes that the guide names in its text. */
function routesOf({ text }: Section): [string, string][] {
  const routes = [...text.matchAll(/`(route\([^`]+)`/g)].map(([, route]) => route)
  if (routes.length === 0) return []
  const imports = `import { route } from '@react-router/dev/routes'`
  return [['app/routes.ts', `${imports}\nexport default [${routes.join(', ')}]`]]
}

/** Every path of the API, and what a user does, as a browser without scripts. */
async function walk(origin: string): Promise<void> {
  const agent = createUserAgent(origin)
  expect(await me(agent)).toEqual({ authenticated: false })
  const callback = await signIn(agent)
  expect(callback.headers.get('location')).toBe(`${origin}/`)
  expect(await me(agent)).toMatchObject({ user: { displayName: 'Ada Lovelace' } })
  const stylesheet = await agent.fetch('/api/v1/auth/auth.css')
  expect(stylesheet.headers.get('content-type')).toContain('text/css')
  const keys = await agent.fetch('/.well-known/jwks.json')
  expect(await keys.json()).toMatchObject({ keys: [{ kty: 'EC' }] })
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

/** A route of the app behind a guard, which the session of the API opens. */
async function walkGuarded(origin: string): Promise<void> {
  const agent = createUserAgent(origin)
  expect((await agent.fetch('/orders')).status).toBe(401)
  await signIn(agent)
  const { user } = await me(agent)
  expect(await (await agent.fetch('/orders')).json()).toEqual({ ordersOf: user.id })
  await agent.post('/api/v1/auth/signout')
  expect((await agent.fetch('/orders')).status).toBe(401)
}

/** The same in a browser, from the page of the example. */
async function browse(origin: string): Promise<void> {
  const context = await browser?.newContext()
  if (!context) return console.warn(MISSING)
  const page = await context.newPage()
  await page.goto(origin)
  await page.getByRole('button', { name: 'Sign in' }).click()
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

describe('the guide to hosts', () => {
  it.concurrent.each(HOSTS)('signs in with %s, as its section says', async (host) => {
    const origin = await start(host)
    await walk(origin)
    if (host in GUARDED) await walkGuarded(origin)
    if (WITH_PAGE.includes(host)) await browse(origin)
  })

  it('has no example of more than ten lines', () => {
    const saved = [...sections.values()].flatMap(({ files }) => files)
    const long = saved.filter(([, text]) => text.split('\n').filter(Boolean).length > 10)
    expect(saved.length).toBeGreaterThanOrEqual(HOSTS.length)
    expect(long).toEqual([])
  })

  it('installs what this test installs', () => {
    const lines = [...sections.values()].flatMap(({ commands }) => commands.filter(isInstall))
    const packages = lines.flatMap((line) => line.split(' ').slice(2))
    expect(packages.filter((name) => !(name in INSTALLED))).toEqual([])
  })
})
