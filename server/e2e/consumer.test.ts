import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createTestDatabase } from '../../prisma/test-database.js'
import { freePort } from '../local/loopback.js'
import { type PackedPackage, packPackages } from './support/packed.js'
import { startNode } from './support/process.js'
import { readBlocks } from './support/readme-block.js'

// Installing and compiling are slow on a busy machine.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** Their SDK does not compile with skipLibCheck off. */
const NOT_STRICT = ['@netscript/auth-better-auth']
/** It needs the generated client of Prisma, an optional peer that is not installed here. */
const NOT_INSTALLED = ['@netscript/auth-database/client', ...NOT_STRICT]

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}
const manifestOf = async ({ directory }: PackedPackage): Promise<Manifest> =>
  JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest

/** A package and the packages of this repository that it depends on. */
async function withDependencies(name: string): Promise<PackedPackage[]> {
  const found = new Set<PackedPackage>()
  const visit = async (name: string): Promise<void> => {
    const one = packed.find((candidate) => candidate.name === name)
    if (!one || found.has(one)) return
    found.add(one)
    for (const other of Object.keys((await manifestOf(one)).dependencies ?? {})) await visit(other)
  }
  await visit(name)
  return [...found]
}

/** What can be imported, by the manifests of the packages. */
async function entryPoints(packages = packed): Promise<string[]> {
  const manifests = await Promise.all(packages.map(manifestOf))
  return manifests.flatMap(({ name, exports }) =>
    Object.entries(exports).flatMap(([path, target]) =>
      typeof target === 'string' ? [] : [path.replace('.', name)],
    ),
  )
}

/** A third-party app with the backend from the guide, and both clients against it. */
const APP_TEST = `
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import express from 'express'
import * as small from '@netscript/auth-client'
import * as validated from '@netscript/auth-client/validated'
import { authContractV1 } from '@netscript/auth-contract'
import document from '@netscript/auth-openapi/auth.v1.json' with { type: 'json' }
import { createLogger } from '@netscript/plugin-auth'
import { createAuthApp } from '@netscript/plugin-auth/express'
import { createFourthBackend } from './fourth-backend.js'

const { backend, signIn } = createFourthBackend(randomUUID())
const app = express()
const server = app.listen(0, '127.0.0.1')
await new Promise((listening) => server.once('listening', listening))
const origin = 'http://127.0.0.1:' + (server.address() as AddressInfo).port
app.use(createAuthApp({ backend, origin, logger: createLogger('silent') }))
app.get('/mine', (_req, res) => void res.send('mine'))
after(() => server.close())

test('the app keeps its own routes, and the document is the contract', async () => {
  assert.equal(await (await fetch(origin + '/mine')).text(), 'mine')
  assert.ok(authContractV1.me.path in document.paths)
})

for (const [name, { createAuthClient, AuthClientError }] of Object.entries({ small, validated })) {
  test(name + ' reads, fails and ends', async () => {
    const cookie = signIn('ada').split(';')[0] ?? ''
    const auth: small.AuthClient = createAuthClient({ baseUrl: origin, headers: { cookie } })
    const stranger = createAuthClient({ baseUrl: origin })
    assert.deepEqual(await stranger.me(), { authenticated: false })
    const me = await auth.me()
    const user: small.AuthUser | undefined = me.authenticated ? me.user : undefined
    assert.deepEqual(user, { id: 'ada' })
    await assert.rejects(stranger.signin(), (error: unknown) => {
      assert.ok(error instanceof AuthClientError)
      return error.code === 'AUTH_PROVIDER_ERROR' && error.status === 502
    })
    assert.deepEqual(await auth.signout(), { signedOut: true })
    assert.deepEqual(await auth.me(), { authenticated: false })
  })
}
`

/** A third-party frontend on React 18. */
const REACT_TEST = `
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { AuthProvider, type Session, SignInButton, useSession } from '@netscript/auth-client/react'

const show = (session: Session): string =>
  session.status === 'signed-in' ? session.session.id : session.status

test('renders who is signed in, and a way to change it', () => {
  const Who = () => createElement('b', null, show(useSession()))
  const app = createElement(AuthProvider, null, createElement(Who), createElement(SignInButton))
  const html = renderToStaticMarkup(app)
  assert.match(html, /^<b>loading<.b><form method="post" action=".api.v1.auth.signin">/)
})
`

let packed: readonly PackedPackage[]
let project: string
const exec = promisify(execFile)
/** Runs a command and returns its output, even when it failed. */
const runIn = (
  cwd: string,
  command: string,
  ...args: string[]
): Promise<{ stdout: string; code?: number }> =>
  exec(command, args, { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME } })
    .then(({ stdout, stderr }) => ({ stdout: stdout + stderr }))
    .catch((failure: { stdout: string; stderr: string; code: number }) => ({
      stdout: failure.stdout + failure.stderr,
      code: failure.code,
    }))
const run = (...command: [string, ...string[]]) => runIn(project, ...command)

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']

beforeAll(async () => {
  packed = await packPackages()
  project = await mkdtemp(join(tmpdir(), 'netscript-auth-consumer-'))
  const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
    devDependencies: Record<string, string>
  }
  // Entry points have types of Fastify and of MSW.
  const tools = ['typescript', 'typescript-7', '@types/node', 'fastify', 'msw'].map(
    (tool) => `${tool}@${devDependencies[tool]}`,
  )
  // The oldest that ./react is for; its own tests have the newest.
  const react18 = ['react@18.2.0', 'react-dom@18.2.0', '@types/react@18', '@types/react-dom@18']
  await writeFile(join(project, 'package.json'), '{"private":true,"type":"module"}')
  const { stdout, code } = await run(
    'npm',
    ...[...INSTALL, ...packed.map(({ tarball }) => tarball), 'express@5', ...tools, ...react18],
  )
  expect(code, stdout).toBeUndefined()
  await writeSources()
})
afterAll(async () => {
  if (project) await rm(project, { recursive: true, force: true })
})

const importing = (entries: readonly string[]): string =>
  entries.map((entry, n) => `export * as entry${n} from '${entry}'\n`).join('')

/** What the consumer writes: the backend and its test as the guide has them, and an app. */
async function writeSources(): Promise<void> {
  const blocks = await readBlocks('backends/README.md')
  const block = (text: string): string => blocks.find((code) => code.includes(text)) ?? ''
  const src = join(project, 'src')
  const entries = await entryPoints()
  await mkdir(src)
  const sources: Record<string, string> = {
    'fourth-backend.ts': block('export function createFourthBackend'),
    'fourth-backend.test.ts': block('runAuthBackendConformance(').replace(
      "'vitest'",
      "'node:test'",
    ),
    'app.test.ts': APP_TEST,
    'react.test.ts': REACT_TEST,
    'every-entry.ts': importing(entries.filter((entry) => entry !== NOT_INSTALLED[0])),
    'strict-entries.ts': importing(entries.filter((entry) => !NOT_INSTALLED.includes(entry))),
    'other-entries.ts': importing(NOT_STRICT),
  }
  for (const [file, text] of Object.entries(sources)) await writeFile(join(src, file), text)
}

const STRICT = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']
const RESOLUTIONS = {
  node16: ['--module', 'node18', '--moduleResolution', 'node16'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
}
const compileIn = (
  cwd: string,
  tsc: 'typescript' | 'typescript-7',
  resolution: keyof typeof RESOLUTIONS,
  ...args: string[]
) =>
  runIn(
    cwd,
    'node',
    join(project, 'node_modules', tsc, 'bin/tsc'),
    ...['--target', 'es2022', '--lib', 'es2023,dom,dom.iterable'],
    ...[...STRICT, ...RESOLUTIONS[resolution], ...args],
  )
const compile = (resolution: keyof typeof RESOLUTIONS, ...args: string[]) =>
  compileIn(project, 'typescript-7', resolution, '--types', 'node', ...args)

describe('a project of a user', () => {
  it.each(['node16', 'bundler'] as const)('compiles with resolution %s', async (resolution) => {
    const everything = ['app.test', 'react.test', 'fourth-backend.test', 'every-entry'].map(
      (f) => `src/${f}.ts`,
    )
    expect(
      await compile(resolution, '--noEmit', '--skipLibCheck', '--resolveJsonModule', ...everything),
    ).toEqual({ stdout: '' })
    expect(await compile(resolution, '--noEmit', 'src/strict-entries.ts')).toEqual({ stdout: '' })
    const { stdout } = await compile(resolution, '--noEmit', 'src/other-entries.ts')
    expect(stdout).not.toMatch(/@netscript|^src/m)
  })

  it('compiles with TypeScript 5.9', async () => {
    const args = ['--types', 'node', '--noEmit', 'src/strict-entries.ts']
    expect(await compileIn(project, 'typescript', 'node16', ...args)).toEqual({ stdout: '' })
  })

  it('compiles kv-oauth without the types of Node.js and of pg', async () => {
    const packages = await withDependencies('@netscript/auth-kv-oauth')
    const entries = await entryPoints(packages)
    expect(entries).toEqual(
      expect.arrayContaining(['@netscript/auth-kv-oauth', '@netscript/auth-database']),
    )
    // Beside the project: TypeScript looks for types in the directories above.
    const bare = await mkdtemp(join(tmpdir(), 'netscript-auth-consumer-bare-'))
    onTestFinished(() => rm(bare, { recursive: true, force: true }))
    await writeFile(join(bare, 'package.json'), '{"private":true,"type":"module"}')
    await writeFile(
      join(bare, 'entries.ts'),
      importing(entries.filter((entry) => !NOT_INSTALLED.includes(entry))),
    )
    const tarballs = packages.map(({ tarball }) => tarball)
    const { stdout, code } = await runIn(bare, 'npm', ...INSTALL, ...tarballs)
    expect(code, stdout).toBeUndefined()
    expect(await readdir(join(bare, 'node_modules'))).not.toContain('@types')
    for (const resolution of ['node16', 'bundler'] as const) {
      const compiled = await compileIn(bare, 'typescript-7', resolution, '--noEmit', 'entries.ts')
      expect(compiled).toEqual({ stdout: '' })
    }
  })

  it('mounts the app, asks it with both clients, and passes the conformance suite', async () => {
    const sources = ['src/app.test.ts', 'src/react.test.ts', 'src/fourth-backend.test.ts']
    const compiling = ['--skipLibCheck', '--resolveJsonModule', '--outDir', 'out', ...sources]
    expect(await compile('node16', ...compiling)).toEqual({ stdout: '' })
    for (const [file, least] of [
      ['app', 3],
      ['react', 1],
      ['fourth-backend', 35],
    ] as const) {
      const { stdout, code } = await run(
        'node',
        '--test',
        '--test-reporter=tap',
        `out/${file}.test.js`,
      )
      expect(code, stdout).toBeUndefined()
      expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(least)
    }
  })

  it('bundles the client, and nothing else with it', async () => {
    const { metafile } = await build({
      stdin: { contents: `export * from '@netscript/auth-client'`, resolveDir: project },
      absWorkingDir: project,
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      metafile: true,
    })
    const inputs = Object.keys(metafile.inputs).filter((input) => input !== '<stdin>')
    const own = 'node_modules/@netscript/auth-client/dist/'
    expect(inputs.length).toBeGreaterThan(3)
    expect(inputs.filter((input) => !input.startsWith(own))).toEqual([])
  })

  it('reads lines of TypeScript in a stack trace', async () => {
    const program = `import('@netscript/plugin-auth-core').then((b) => b.resolveBackend(new Map(), 'none'))`
    const { stdout, code } = await run('node', '--enable-source-maps', '-e', program)
    expect(code).toBe(1)
    expect(stdout).toMatch(/plugin-auth-core\/registry\.ts:\d+:\d+/)
  })

  it('starts netscript, which becomes ready and stops on a signal', async () => {
    const database = await createTestDatabase()
    const port = await freePort()
    const bin = join(project, 'node_modules/.bin/netscript')
    const service = startNode([bin, 'start'], {
      PORT: String(port),
      DATABASE_URL: database.url,
      NETSCRIPT_AUTH_ISSUER: 'https://provider.example',
      NETSCRIPT_AUTH_CLIENT_ID: 'client',
      NETSCRIPT_AUTH_CLIENT_SECRET: 'secret',
      NETSCRIPT_AUTH_REDIRECT_URI: 'https://auth.example/api/v1/auth/callback',
      NETSCRIPT_AUTH_KV_OAUTH_KEY: randomBytes(32).toString('base64url'),
    })
    try {
      await service.waitFor('"ready"')
      const answer = await fetch(`http://127.0.0.1:${port}/health/ready`)
      expect(answer.status).toBe(200)
      expect(await service.end('SIGTERM')).toBe(0)
    } finally {
      await service.end('SIGKILL')
      await database.drop()
    }
  })
})
