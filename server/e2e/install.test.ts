import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type PackedPackage, packPackages } from './support/packed.js'

// Installing takes its time where much else runs.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 })

const MANAGERS = ['npm', 'pnpm', 'yarn', 'bun'] as const
type Manager = (typeof MANAGERS)[number]

/** What each prints when it refuses a package or leaves something undone. */
const COMPLAINTS =
  /EBADENGINE|IGNORED_BUILDS|Ignored build scripts|Blocked \d+|incompatible|ERESOLVE/

/** What a service needs that signs users in at OpenID providers. */
const NEEDED = ['contract', 'openapi', 'client', 'database', 'kv-oauth'].map(
  (name) => `@netscript/auth-${name}`,
)

let packed: readonly PackedPackage[]
let scratch: string
beforeAll(async () => {
  packed = await packPackages()
  scratch = await mkdtemp(join(tmpdir(), 'netscript-install-'))
  const tools = join(scratch, 'tools')
  await mkdir(tools)
  await writeFile(join(tools, 'package.json'), '{"private":true}')
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline']
  await run('npm', ['install', ...quiet, 'pnpm@10', 'yarn@1', 'bun@1'], tools)
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const execute = promisify(execFile)
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, CI: 'true' }
  const { stdout, stderr } = await execute(command, args, { cwd, env, maxBuffer: 2 ** 26 }).catch(
    (failure: Error & { stdout: string; stderr: string }) => {
      throw new Error(`${command} ${args.join(' ')}:\n${failure.stdout}${failure.stderr}`)
    },
  )
  return stdout + stderr
}

/** The program of a manager; that of bun is native, for this processor. */
function programOf(manager: Manager): string {
  if (manager === 'npm') return manager
  const modules = join(scratch, 'tools', 'node_modules')
  if (manager !== 'bun') return join(modules, '.bin', manager)
  const works = readdirSync(join(modules, '@oven'))
    .map((name) => join(modules, '@oven', name, 'bin', 'bun'))
    .find((path) => existsSync(path) && spawnSync(path, ['--version']).status === 0)
  if (!works) throw new Error('No build of bun runs on this processor.')
  return works
}

/** A project that takes its packages from tarballs, nested ones included. */
async function project(manager: Manager): Promise<string> {
  const directory = join(scratch, manager)
  await mkdir(directory)
  const needed = ['@netscript/plugin-auth', '@netscript/plugin-auth-core', ...NEEDED]
  const dependencies = Object.fromEntries(
    packed
      .filter(({ name }) => needed.includes(name))
      .map(({ name, tarball }) => [name, `file:${tarball}`]),
  )
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies,
    overrides: dependencies,
    resolutions: dependencies,
    pnpm: { overrides: dependencies },
  }
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest))
  return directory
}

describe.each(MANAGERS)('the packed packages with %s', (manager) => {
  it('install without a complaint, and run', async () => {
    const directory = await project(manager)
    const flags = manager === 'npm' ? ['--no-audit', '--no-fund', '--prefer-offline'] : []
    const said = await run(programOf(manager), ['install', ...flags], directory)
    expect(said).not.toMatch(COMPLAINTS)
    const bin = join(directory, 'node_modules', '.bin', 'netscript')
    expect(await run(bin, ['--version'], directory)).toMatch(/^\d+\.\d+\.\d+\n$/)
    const program = `
      import { createAuthApp } from '@netscript/plugin-auth/express'
      import { createAuthListener } from '@netscript/plugin-auth/node'
      import { createAuthHandler } from '@netscript/plugin-auth/fetch'
      import { createKvOAuthBackend } from '@netscript/auth-kv-oauth'
      console.log([createAuthApp, createAuthListener, createAuthHandler, createKvOAuthBackend].map((one) => typeof one).join())`
    await writeFile(join(directory, 'program.js'), program)
    expect(await run(process.execPath, ['program.js'], directory)).toBe(
      'function,function,function,function\n',
    )
  })
})
