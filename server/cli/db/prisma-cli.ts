import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { installCommand } from '@netscript/plugin-auth-core/internal'
import { engineVariables } from '@netscript/auth-database/internal'

/** Result of a Prisma CLI run. */
interface PrismaAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the Prisma CLI in a workspace: the workspace's own, or else this package's. It makes no network
 * requests.
 */
export function runPrisma(
  root: string,
  args: readonly string[],
  databaseUrl?: string,
): Promise<PrismaAnswer> {
  const cli = join(dirname(findPrisma(root)), 'build', 'index.js')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: root,
      env: {
        ...process.env,
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        ...engineVariables(),
        // Prisma looks for generators in PATH.
        PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
        CHECKPOINT_DISABLE: '1',
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
}

/** Path of the package.json of the Prisma CLI, an optional peer; `undefined` when it is not installed. */
export function locatePrisma(root: string): string | undefined {
  for (const from of [join(root, 'package.json'), import.meta.url]) {
    try {
      return createRequire(from).resolve('prisma/package.json')
    } catch {
      // Try the next location.
    }
  }
  return undefined
}

function findPrisma(root: string): string {
  const found = locatePrisma(root)
  if (found !== undefined) return found
  throw new AuthConfigurationError(
    `The Prisma CLI is not installed. Run: ${installCommand(['prisma', '@prisma/schema-engine-wasm'], { dev: true })}`,
  )
}
