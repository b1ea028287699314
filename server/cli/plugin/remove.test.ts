import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { addAuthPlugin } from '../testing/add-plugin.js'
import { runCli, temporaryWorkspace } from '../testing/run-cli.js'

const remove = (root: string, ...args: string[]) =>
  runCli(root, ['plugin', 'remove', 'auth', '--no-install', ...args])

const files = (root: string): string[] =>
  execFileSync('find', ['.', '-type', 'f'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
    .sort()

it('removes what add created except secrets, and says so', async () => {
  const root = temporaryWorkspace({ name: 'mine', scripts: { build: 'x' }, devDependencies: {} })
  const before = readFileSync(join(root, 'package.json'), 'utf8')
  await addAuthPlugin(root)
  const secrets = readFileSync(join(root, '.env'), 'utf8')

  const unsure = await remove(root)
  expect(unsure).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') })
  const dry = await remove(root, '--dry-run')
  expect(dry.stdout).toContain('would delete  plugins/auth/database/auth.prisma')
  expect(existsSync(join(root, 'plugins/auth/plugin.json'))).toBe(true)

  const { code, stdout } = await remove(root, '--yes')
  expect(code).toBe(0)
  expect(stdout).toMatch(/Kept: \.env with its secrets/)
  expect(files(root)).toEqual(['./.env', './.gitignore', './package.json'])
  expect(readFileSync(join(root, '.env'), 'utf8')).toBe(secrets)
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toEqual({
    name: 'mine',
    scripts: { build: 'x' },
  })
  expect(before).toContain('"build": "x"')
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect((await remove(root, '--yes')).stderr).toMatch(/not in this workspace/)
})

it('keeps what the user changed, and what the rest of the database needs', async () => {
  const root = temporaryWorkspace()
  writeFileSync(join(root, 'appsettings.json'), '{ "other": 1 }')
  await addAuthPlugin(root)
  const backend = join(root, 'services/auth/src/backend.ts')
  writeFileSync(backend, '// mine\n')
  writeFileSync(join(root, 'prisma/schema/notes.prisma'), 'model Note {\n  id Int @id\n}\n')
  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  scripts.scripts.auth = 'mine'
  writeFileSync(join(root, 'package.json'), JSON.stringify(scripts))
  mkdirSync(join(root, '.data'))

  const { stdout } = await remove(root, '--yes')
  expect(stdout).toContain('kept     services/auth/src/backend.ts: it is yours')
  expect(stdout).toContain('kept     prisma.config.ts: the database needs it')
  expect(readFileSync(backend, 'utf8')).toBe('// mine\n')
  expect(existsSync(join(root, 'prisma/schema/netscript.prisma'))).toBe(true)
  expect(existsSync(join(root, 'prisma/schema/plugins'))).toBe(false)
  expect(existsSync(join(root, '.data'))).toBe(true)
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toEqual({
    name: 'my-workspace',
    scripts: { auth: 'mine' },
  })
  expect(JSON.parse(readFileSync(join(root, 'appsettings.json'), 'utf8'))).toEqual({ other: 1 })
})
