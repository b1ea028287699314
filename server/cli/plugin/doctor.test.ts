import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { addAuthPlugin } from '../testing/add-plugin.js'
import { runCli, temporaryWorkspace } from '../testing/run-cli.js'
import { findPlugin } from './manifest.js'
import { findingsOf } from './doctor.js'
import { packageEntries } from './plan.js'
import { openWorkspace } from './workspace.js'

/** A workspace with the plugin, as `npm install` leaves it. */
async function healthy(): Promise<string> {
  const root = temporaryWorkspace()
  await addAuthPlugin(root)
  const { dependencies = {} } = packageEntries(findPlugin('auth'), 'kv-oauth')
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(root, 'node_modules', name), { recursive: true })
    writeFileSync(join(root, 'node_modules', name, 'package.json'), '{}')
  }
  return root
}

const diagnose = (root: string) => findingsOf(openWorkspace(root), findPlugin('auth'))

it('reports nothing for a healthy workspace, and changes nothing', async () => {
  const root = await healthy()
  const env = readFileSync(join(root, '.env'), 'utf8')
  expect(await diagnose(root)).toEqual([
    { status: 'ok', code: 'PLUGIN', message: 'auth is complete.' },
  ])
  expect(await runCli(root, ['plugin', 'doctor'])).toMatchObject({
    code: 0,
    stdout: 'ok    PLUGIN: auth is complete.\n\n0 failed, 0 to look at, 1 ok\n',
  })
  expect(readFileSync(join(root, '.env'), 'utf8')).toBe(env)
})

it.each<[string, string, (root: string) => void, RegExp, RegExp]>([
  [
    'a missing file',
    'FILE_MISSING',
    (root) => rmSync(join(root, 'plugins/auth/database/auth.prisma')),
    /auth\.prisma is missing/,
    /netscript plugin add auth/,
  ],
  [
    'a schema that was not aggregated',
    'FILE_MISSING',
    (root) => rmSync(join(root, 'prisma/schema/plugins/auth.prisma')),
    /prisma\/schema\/plugins\/auth\.prisma is missing/,
    /netscript plugin add auth/,
  ],
  [
    'a package.json without its packages',
    'FILE_INCOMPLETE',
    (root) => writeFileSync(join(root, 'package.json'), '{"name":"x"}'),
    /package\.json lacks/,
    /netscript plugin add auth/,
  ],
  [
    'secrets that version control would take',
    'FILE_INCOMPLETE',
    (root) => writeFileSync(join(root, '.gitignore'), ''),
    /\.gitignore lacks/,
    /netscript plugin add auth/,
  ],
  [
    'secrets that version control has',
    'ENV_TRACKED',
    (root) => {
      execFileSync('git', ['init', '-q'], { cwd: root })
      execFileSync('git', ['add', '-f', '.env'], { cwd: root })
    },
    /\.env is in version control/,
    /git rm --cached \.env/,
  ],
  [
    'secrets that other users can read',
    'ENV_READABLE',
    (root) => chmodSync(join(root, '.env'), 0o644),
    /\.env has mode 0644/,
    /chmod 600 \.env/,
  ],
  [
    'a missing key',
    'FILE_INCOMPLETE',
    (root) => writeFileSync(join(root, '.env'), '# empty\n'),
    /\.env lacks/,
    /netscript plugin add auth/,
  ],
  [
    'packages that are not installed',
    'PACKAGES_MISSING',
    (root) => rmSync(join(root, 'node_modules/@netscript/auth-kv-oauth'), { recursive: true }),
    /not installed, such as @netscript\/auth-kv-oauth/,
    /npm install/,
  ],
])('finds %s', async (_what, code, damage, message, fix) => {
  const root = await healthy()
  damage(root)
  expect(await diagnose(root)).toContainEqual({
    status: 'fail',
    code,
    message: expect.stringMatching(message),
    fix: expect.stringMatching(fix),
  })
})

it('leaves a changed file alone', async () => {
  const root = await healthy()
  writeFileSync(join(root, 'services/auth/src/backend.ts'), '// mine\n')
  expect(await diagnose(root)).toMatchObject([{ status: 'ok', code: 'FILE_CHANGED' }])
})

it('reports a failure in its exit code, as text and as JSON', async () => {
  const root = await healthy()
  rmSync(join(root, 'services/auth/package.json'))
  const told = await runCli(root, ['plugin', 'doctor', 'auth'])
  expect(told.code).toBe(1)
  expect(told.stdout).toMatch(
    /^fail  FILE_MISSING: services\/auth\/package\.json is missing\.\n +Fix: Run /,
  )
  const { code, stdout } = await runCli(root, ['plugin', 'doctor', '--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject([{ plugin: 'auth', findings: [{ status: 'fail' }] }])
})
