import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { applyMigrations } from '../../../prisma/migrate.js'
import { startEmbeddedPostgres } from '../../local/postgres.js'
import { copySwaggerUi, writePageScript } from '../../pages/write-page-script.js'
import { compileCli } from './compiled-cli.js'
import { ROOT } from './documents.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The administrator's URL of the Postgres of this test run. */
    postgresUrl: string
    /** The database that test databases are copied from. */
    postgresTemplate: string
    /** A directory for what the files of the run share. */
    scratch: string
    /** The main module of the command line, compiled from source. */
    cli: string
  }
}

const TEMPLATE = 'netscript_auth_template'

/** One real Postgres for the whole run; each test file makes a database of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await Promise.all([writePageScript(), copySwaggerUi()])
  const directory = await mkdtemp(join(tmpdir(), 'netscript-auth-test-'))
  const compiled = await mkdtemp(join(ROOT, 'node_modules', '.netscript-cli-'))
  const postgres = await startEmbeddedPostgres({
    dataDir: join(directory, 'postgres'),
    settings: {
      max_connections: '300',
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      autovacuum: 'off',
    },
  })
  const teardown = async (): Promise<void> => {
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
    await rm(compiled, { recursive: true, force: true })
  }
  try {
    project.provide('cli', await compileCli(compiled))
    await createTemplate(postgres.url)
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('postgresUrl', postgres.url)
  project.provide('postgresTemplate', TEMPLATE)
  project.provide('scratch', directory)
  return teardown
}

async function createTemplate(adminUrl: string): Promise<void> {
  const url = new URL(adminUrl)
  url.pathname = `/${TEMPLATE}`
  const admin = new pg.Pool({ connectionString: adminUrl, max: 1 })
  const template = new pg.Pool({ connectionString: url.href, max: 1 })
  try {
    await admin.query(`CREATE DATABASE ${TEMPLATE}`)
    await applyMigrations(template)
    await template.end()
    // No connections: CREATE DATABASE ... TEMPLATE fails while the template has any.
    await admin.query(`ALTER DATABASE ${TEMPLATE} ALLOW_CONNECTIONS false`)
  } finally {
    await admin.end()
  }
}
