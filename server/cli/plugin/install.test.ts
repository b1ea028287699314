import lock from '../../../package-lock.json' with { type: 'json' }
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readBlocks } from '../../e2e/support/readme-block.js'
import { temporaryWorkspace } from '../testing/run-cli.js'
import { findPlugin } from './manifest.js'
import { applyChanges, openWorkspace } from './workspace.js'
import { addToPnpmSettings, installEntries, SCRIPTED_PACKAGES } from './install.js'
import { planAdd } from './plan.js'

const DENIED = Object.fromEntries(SCRIPTED_PACKAGES.map((name) => [name, false]))

it('knows every package with an install script that the plugin brings, on each platform', () => {
  const scripted = Object.entries(lock.packages)
    .filter(([, entry]) => 'hasInstallScript' in entry)
    .map(([path]) => path.replace(/^.*node_modules\//, ''))
  // These are for the development of this repository.
  const own = ['@scarf/scarf', 'esbuild', 'fsevents', 'msw']
  expect(scripted.filter((name) => !own.includes(name)).sort()).toEqual(
    [...SCRIPTED_PACKAGES].sort(),
  )
})

describe('the settings of pnpm', () => {
  /** pnpm-workspace.yaml after `plugin add` with this version; undefined when unchanged. */
  function settingsAfter(version: string, before?: string, pnpm?: object): string | undefined {
    const root = temporaryWorkspace({ name: 'mine', pnpm })
    if (before !== undefined) writeFileSync(join(root, 'pnpm-workspace.yaml'), before)
    const manager = { name: 'pnpm', version, root, hasMembers: false } as const
    return addToPnpmSettings(manager, openWorkspace(root))?.after
  }
  const lists = (text: string | undefined): unknown => parse(text ?? '')

  it('get a decision on each install script, and keep existing entries', () => {
    const before = '# mine\npackages:\n  - "apps/*" # all\nstrictDepBuilds: true\n'
    const after = settingsAfter('10.34.9', before)
    expect(after?.startsWith(before)).toBe(true)
    expect(lists(after)).toMatchObject({ strictDepBuilds: true, allowBuilds: DENIED })
  })

  it.each<[string, string | undefined, object]>([
    ['12.21.0', undefined, { allowBuilds: DENIED }],
    ['11.0.0', undefined, { allowBuilds: DENIED }],
    ['10.26.0', undefined, { allowBuilds: DENIED }],
    ['10.25.0', undefined, { ignoredBuiltDependencies: SCRIPTED_PACKAGES }],
    ['10.34.9', 'allowBuilds: { prisma: true }\n', { allowBuilds: { ...DENIED, prisma: true } }],
    [
      '10.34.9',
      'onlyBuiltDependencies: [prisma, sharp]\n',
      {
        onlyBuiltDependencies: ['prisma', 'sharp'],
        allowBuilds: Object.fromEntries(Object.entries(DENIED).filter(([n]) => n !== 'prisma')),
      },
    ],
    [
      '10.20.0',
      'ignoredBuiltDependencies:\n  - sharp\n  - prisma@7.10.1 || 7.10.2\n',
      {
        ignoredBuiltDependencies: [
          'sharp',
          'prisma@7.10.1 || 7.10.2',
          ...SCRIPTED_PACKAGES.filter((name) => name !== 'prisma'),
        ],
      },
    ],
    // pnpm 11 reads the mapping alone.
    ['11.2.0', 'onlyBuiltDependencies: [sharp]\n', { allowBuilds: DENIED }],
  ])('of version %s with %j', (version, before, after) => {
    const text = settingsAfter(version, before)
    expect(lists(text)).toMatchObject(after)
    expect(settingsAfter(version, text)).toBeUndefined()
  })

  it.each<[string, string, string | undefined, object?]>([
    ['a version that runs all scripts', '9.15.9', undefined],
    ['leave to run all scripts', '10.34.9', 'dangerouslyAllowAllBuilds: true\n'],
    ['a list of what is not built', '10.34.9', 'neverBuiltDependencies: [sharp]\n'],
    ['decisions in package.json', '10.34.9', '', { ignoredBuiltDependencies: SCRIPTED_PACKAGES }],
  ])('stay with %s', (_what, version, before, pnpm) => {
    expect(settingsAfter(version, before, pnpm)).toBeUndefined()
  })

  it('are rejected when they are not valid YAML', () => {
    expect(() => settingsAfter('10.34.9', 'allowBuilds: [')).toThrow(/pnpm-workspace.yaml .*YAML/)
  })
})

describe('the settings in package.json', () => {
  const entries = (
    name: 'npm' | 'pnpm' | 'yarn' | 'bun',
    { backend = 'kv-oauth', nodeVersion = '20.19.0', bringsPrisma = true } = {},
    packageJson = {},
  ) => installEntries(name, packageJson, { backend, nodeVersion, bringsPrisma })
  const streams = { '@prisma/streams-local': expect.any(String) }
  const kysely = { kysely: expect.stringMatching(/^\^0\.28/) }

  it.each(['npm', 'pnpm', 'yarn', 'bun'] as const)('let %s install on Node 20', (name) => {
    const section = name === 'npm' ? 'overrides' : 'resolutions'
    expect(entries(name)[section]).toEqual(streams)
    expect(entries(name, { backend: 'better-auth' })[section]).toEqual({ ...streams, ...kysely })
    expect(entries(name, { bringsPrisma: false })[section]).toEqual({})
    for (const nodeVersion of ['22.13.0', '24.1.0', '100.0.0']) {
      expect(entries(name, { backend: 'better-auth', nodeVersion })[section]).toEqual({})
    }
  })

  it('match the entries in the guide of better-auth', async () => {
    const [block = ''] = (await readBlocks('backends/better-auth/README.md', 'json')).filter(
      (code) => code.includes('resolutions'),
    )
    const options = { backend: 'better-auth', bringsPrisma: false }
    expect(JSON.parse(block)).toEqual({ resolutions: entries('yarn', options).resolutions })
  })

  it('decide on install scripts for npm, except where a decision exists', () => {
    expect(entries('npm').allowScripts).toEqual(DENIED)
    const { prisma: _prisma, ...others } = DENIED
    expect(entries('npm', {}, { allowScripts: { 'prisma@7.10.1': true } }).allowScripts).toEqual(
      others,
    )
    for (const name of ['pnpm', 'yarn', 'bun'] as const) {
      // A list of trusted packages replaces bun's default list.
      expect(Object.keys(entries(name))).toEqual(['resolutions'])
    }
  })
})

it('changes the settings of the monorepo that a workspace is in, once', async () => {
  const root = temporaryWorkspace({ name: 'monorepo', packageManager: 'pnpm@10.34.9' })
  writeFileSync(join(root, 'pnpm-workspace.yaml'), 'packages: [apps/*]\n')
  const member = join(root, 'apps/auth')
  mkdirSync(member, { recursive: true })
  writeFileSync(join(member, 'package.json'), '{"name":"auth"}')
  const plan = () => planAdd(openWorkspace(member), findPlugin('auth'))
  const { changes } = await plan()
  expect(changes.map(({ path }) => path)).toContain('../../pnpm-workspace.yaml')
  await applyChanges(member, changes)
  const settings = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')) as object
  expect(settings).toEqual({ packages: ['apps/*'], allowBuilds: DENIED })
  expect(JSON.parse(readFileSync(join(member, 'package.json'), 'utf8'))).not.toHaveProperty(
    'resolutions',
  )
  expect((await plan()).changes).toEqual([])
})
