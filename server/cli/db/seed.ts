import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { migrationStatus } from '@netscript/auth-database'
import { seed as seedPeople } from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { readVariables } from '../../config/variables.js'
import { withDatabase } from './database.js'
import { migrationsDirectory } from './migrations.js'
import { type PrismaProject, readPrismaProject } from './project.js'
import { print } from '../terminal.js'

/** `netscript db seed`: adds the demo users, then runs the seed command of the Prisma config. */
export async function seed(): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new AuthConfigurationError('NODE_ENV is production. Demo users are for development only.')
  }
  const project = await readPrismaProject(process.cwd())
  await withDatabase(process.env, async ({ pool, url, description }) => {
    const directory = migrationsDirectory(project)
    const found = await migrationStatus(pool, { directory })
    if (found.some(({ state }) => state === 'pending' || state === 'failed')) {
      throw new AuthConfigurationError(
        'Not every migration is applied. Run `netscript db init` or `netscript db migrate` first.',
      )
    }
    const added = await seedPeople(pool, { issuer: demoIssuer() })
    print(
      added > 0
        ? `Added ${added} demo users to ${description}.`
        : `The demo users are in ${description} already.`,
    )
    if (project.seed !== undefined) await runOwnSeed(project, project.seed, url)
  })
}

/** The demo users are the accounts of the local provider. */
function demoIssuer(): string {
  const read = readVariables(process.env)
  const port = read.ok ? read.variables.NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT : 9094
  return `http://localhost:${port}`
}

async function runOwnSeed({ root }: PrismaProject, command: string, url: string): Promise<void> {
  const child = spawn(command, {
    cwd: root,
    shell: true,
    stdio: 'inherit',
    env: {
      ...process.env,
      DATABASE_URL: url,
      PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
    },
  })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) {
    throw new AuthConfigurationError(
      `The seed command of the Prisma config failed: ${command}. Correct it and run this again.`,
    )
  }
}
