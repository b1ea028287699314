import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { engineVariables } from '@netscript/auth-database/internal'

/** What the Prisma CLI answered. */
export interface PrismaAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the Prisma CLI in a workspace: the workspace's own, or else the one of this package. It asks
 * no network for anything.
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
        // Generators are found here.
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

function findPrisma(root: string): string {
  try {
    return createRequire(join(root, 'package.json')).resolve('prisma/package.json')
  } catch {
    return createRequire(import.meta.url).resolve('prisma/package.json')
  }
}
