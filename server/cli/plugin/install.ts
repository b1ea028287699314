import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** Those of the packages that the workspace cannot import. */
export function missingPackages(root: string, names: readonly string[]): string[] {
  return names.filter((name) => !existsSync(join(root, 'node_modules', name, 'package.json')))
}

const LOCK_FILES = { 'pnpm-lock.yaml': 'pnpm', 'yarn.lock': 'yarn', 'bun.lock': 'bun' }

/**
 * `npm install`, or what the workspace uses instead. What is in the tree already is not asked for.
 * @throws AuthConfigurationError when it fails.
 */
export async function installPackages(root: string): Promise<void> {
  const [, command = 'npm'] =
    Object.entries(LOCK_FILES).find(([file]) => existsSync(join(root, file))) ?? []
  const args = command === 'npm' ? ['--prefer-offline', '--no-audit', '--no-fund'] : []
  console.log(`running  ${command} install`)
  const { status, stderr, error } = spawnSync(command, ['install', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: process.platform === 'win32',
  })
  if (status === 0) return
  throw new AuthConfigurationError(
    `\`${command} install\` failed: ${error?.message ?? withoutWarnings(stderr)}\nThe files are in place. Mend that and run \`${command} install\`.`,
  )
}

function withoutWarnings(said: string): string {
  const lines = said.trim().split('\n')
  return lines.filter((line) => !line.startsWith('npm warn')).join('\n')
}
