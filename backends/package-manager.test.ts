import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findPackageManager, installCommand, runCommand } from './package-manager.js'

/** A directory with these files. */
function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'netscript-manager-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text)
  }
  return directory
}

describe('findPackageManager', () => {
  const field = (value: string) => ({ 'package.json': JSON.stringify({ packageManager: value }) })
  const agent = (value: string) => ({ npm_config_user_agent: value })

  it.each<[string, Record<string, string>, NodeJS.ProcessEnv, object]>([
    ['no file', {}, {}, { name: 'npm' }],
    ['package-lock.json', { 'package-lock.json': '{}' }, agent('bun/1.4.5'), { name: 'npm' }],
    ['npm-shrinkwrap.json', { 'npm-shrinkwrap.json': '{}' }, agent('pnpm/10'), { name: 'npm' }],
    ['pnpm-lock.yaml', { 'pnpm-lock.yaml': '' }, {}, { name: 'pnpm' }],
    ['yarn.lock', { 'yarn.lock': '' }, agent('npm/11.0.0'), { name: 'yarn' }],
    ['bun.lock', { 'bun.lock': '' }, {}, { name: 'bun' }],
    ['bun.lockb', { 'bun.lockb': '' }, {}, { name: 'bun' }],
    ['a field', field('pnpm@10.34.9'), {}, { name: 'pnpm', version: '10.34.9' }],
    [
      'a field with a hash',
      field('yarn@1.22.22+sha512.ab'),
      {},
      { name: 'yarn', version: '1.22.22' },
    ],
    [
      'a field before another lock file',
      { ...field('bun@1.4.5'), 'yarn.lock': '' },
      {},
      { name: 'bun' },
    ],
    ['an unsupported field', { ...field('deno@2'), 'yarn.lock': '' }, {}, { name: 'yarn' }],
    ['a broken package.json', { 'package.json': '{', 'yarn.lock': '' }, {}, { name: 'yarn' }],
    ['the running package manager', {}, agent('pnpm/10.34.9 npm/? node/v20'), { name: 'pnpm' }],
    ['npm as the running package manager', {}, agent('npm/11.19.1 node/v20'), { name: 'npm' }],
  ])('detects from %s', (_what, files, env, manager) => {
    const root = directoryWith(files)
    expect(findPackageManager(root, env)).toMatchObject({ ...manager, root })
  })

  it.each<[string, Record<string, string>, string, string]>([
    ['pnpm', { 'pnpm-workspace.yaml': '', 'pnpm-lock.yaml': '' }, 'pnpm', '.'],
    [
      'pnpm, said in the member too',
      { 'pnpm-workspace.yaml': '', 'apps/auth/package.json': '{"packageManager":"pnpm@10.34.9"}' },
      'pnpm',
      '.',
    ],
    ['yarn', { 'package.json': '{"workspaces":["apps/*"]}', 'yarn.lock': '' }, 'yarn', '.'],
    ['bun', { 'package.json': '{"workspaces":["apps/*"]}', 'bun.lock': '' }, 'bun', '.'],
    ['npm', { 'package.json': '{"workspaces":["apps/*"]}' }, 'npm', '.'],
    [
      'no more than a lock file',
      { 'package.json': '{}', 'pnpm-lock.yaml': '' },
      'npm',
      'apps/auth',
    ],
    [
      'pnpm, but not its member',
      { 'pnpm-workspace.yaml': '', 'pnpm-lock.yaml': '', 'apps/auth/package-lock.json': '{}' },
      'npm',
      'apps/auth',
    ],
  ])('detects a member of a monorepo of %s', (_what, files, name, root) => {
    const directory = directoryWith({ 'apps/auth/index.js': '', ...files })
    expect(findPackageManager(join(directory, 'apps/auth'), {})).toMatchObject({
      name,
      root: join(directory, root),
      hasMembers: false,
    })
  })
})

it.each([
  ['npm', 'npm install a b', 'npm install --save-dev a', 'npm install a', 'npx'],
  [
    'pnpm',
    'pnpm add a b',
    'pnpm add --save-dev a --allow-build=c',
    'pnpm add --workspace-root a',
    'pnpm exec',
  ],
  ['yarn', 'yarn add a b', 'yarn add --dev a', 'yarn add -W a', 'yarn'],
  ['bun', 'bun add a b', 'bun add --dev a', 'bun add a', 'bunx'],
] as const)('prints the commands of %s', (name, install, installDev, installAtRoot, run) => {
  const manager = { name, root: '/', hasMembers: false }
  expect(installCommand(['a', 'b'], {}, manager)).toBe(install)
  expect(installCommand(['a'], { dev: true, scripts: ['c'] }, manager)).toBe(installDev)
  expect(installCommand(['a'], {}, { ...manager, hasMembers: true })).toBe(installAtRoot)
  expect(runCommand(manager)).toBe(run)
})

it.each<[boolean, Record<string, string>]>([
  [false, {}],
  [false, { 'pnpm-workspace.yaml': 'strictDepBuilds: true\n' }],
  [true, { 'pnpm-workspace.yaml': 'strictDepBuilds: true\npackages: [apps/*]\n' }],
  [true, { 'package.json': '{"workspaces":["apps/*"]}' }],
])('hasMembers is %s with %j', (hasMembers, files) => {
  expect(findPackageManager(directoryWith(files), {})).toMatchObject({ hasMembers })
})
