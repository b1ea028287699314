import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject, onTestFinished } from 'vitest'

/** Result of a command. */
export interface CliAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `netscript <args>`, compiled from source, in a directory, with piped output and these service variables. */
export function runCli(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<CliAnswer> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(NETSCRIPT_|DATABASE_URL$|PORT$|NODE_ENV$|VITEST)/.test(name),
    ),
  )
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [inject('cli'), ...args],
      { cwd, env: { ...inherited, ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

/** Creates an empty directory with a package.json, deleted after the test. */
export function temporaryWorkspace(packageJson: object = { name: 'my-workspace' }): string {
  const directory = mkdtempSync(join(tmpdir(), 'netscript-workspace-'))
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(packageJson, null, 2)}\n`)
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
