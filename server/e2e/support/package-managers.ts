import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Registry } from './registry.js'
import { createShell, personsEnvironment } from './shell.js'

/** How each package manager is used, in the strictest way that it has. */
export const MANAGERS = {
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
export type Manager = keyof typeof MANAGERS
export const MANAGER_NAMES = Object.keys(MANAGERS) as Manager[]

/** Installs the package managers that Node does not bring into a directory; returns that of their programs. */
export async function installManagers(directory: string): Promise<string> {
  const programs = join(directory, 'bin')
  await mkdir(programs, { recursive: true })
  await writeFile(join(directory, 'package.json'), '{"private":true}')
  const flags = '--no-audit --no-fund --ignore-scripts --prefer-offline'
  const { code, output } = await createShell(directory, personsEnvironment()).run(
    `npm install ${flags} pnpm@10 yarn@1 bun@1`,
  )
  if (code !== 0) throw new Error(output)
  for (const name of ['pnpm', 'yarn']) {
    await symlink(join(directory, 'node_modules/.bin', name), join(programs, name))
  }
  for (const name of ['bun', 'bunx']) await symlink(programOfBun(directory), join(programs, name))
  return programs
}

/** The variables of a user with these programs, where no terminal is. */
export function environmentWith(programs: string): Record<string, string | undefined> {
  const path = [programs, process.env.PATH].join(delimiter)
  return { ...personsEnvironment(), CI: 'true', PATH: path }
}

/** Makes a directory with the package.json and the settings of a strict project. */
export async function writeProject(
  directory: string,
  manager: Manager,
  { npmrc }: Registry,
): Promise<void> {
  await mkdir(directory)
  const files: Readonly<Record<string, string>> = {
    '.npmrc': '',
    'package.json': '{"name":"mine","private":true,"type":"module"}',
    ...MANAGERS[manager].files,
  }
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(directory, file), file === '.npmrc' ? text + npmrc : text)
  }
}

/** Bun is a native program, for this processor. */
function programOfBun(directory: string): string {
  const builds = join(directory, 'node_modules/@oven')
  const works = readdirSync(builds)
    .map((name) => join(builds, name, 'bin/bun'))
    .find((path) => existsSync(path) && spawnSync(path, ['--version']).status === 0)
  if (!works) throw new Error('No build of bun runs on this processor.')
  return works
}
