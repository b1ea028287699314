import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { findPackageManager } from '@netscript/plugin-auth-core/internal'
import { print } from '../terminal.js'

/** The packages that the workspace cannot import. */
export function missingPackages(root: string, names: readonly string[]): string[] {
  return names.filter((name) => !isInstalled(root, name))
}

function isInstalled(directory: string, name: string): boolean {
  if (existsSync(join(directory, 'node_modules', name, 'package.json'))) return true
  const parent = dirname(directory)
  return parent !== directory && isInstalled(parent, name)
}

const FLAGS = {
  npm: ['--prefer-offline', '--no-audit', '--no-fund'],
  // CI freezes the lock file by default, which new packages have to change.
  pnpm: ['--no-frozen-lockfile'],
  yarn: [],
  bun: [],
}

/**
 * Runs `npm install`, or the workspace's package manager. npm prefers its local cache.
 * @throws AuthConfigurationError when it fails.
 */
export async function installPackages(root: string): Promise<void> {
  const { name } = findPackageManager(root)
  print(`running  ${name} install`)
  const { status, stdout, stderr, error } = spawnSync(name, ['install', ...FLAGS[name]], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  // pnpm reports errors on standard output.
  const said = error?.message ?? withoutWarnings(`${stdout}${stderr}`)
  throw new AuthConfigurationError(
    `\`${name} install\` failed: ${said}\nThe files are in place. Fix that and run \`${name} install\`.`,
  )
}

function withoutWarnings(said: string): string {
  const lines = said.trim().split('\n')
  return lines.filter((line) => !/^(npm warn|warning )/.test(line)).join('\n')
}
