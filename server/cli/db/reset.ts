import pg from 'pg'
import { tableSchema } from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { confirm } from '../confirm.js'
import { withDatabase } from './database.js'
import { apply } from './migrate.js'
import { readPrismaProject } from './project.js'
import { print } from '../terminal.js'

/** `netscript db reset`: drops everything in the database and applies all migrations. */
export async function reset(options: { yes?: boolean }): Promise<void> {
  if (process.env.NODE_ENV === 'production') {
    throw new AuthConfigurationError(
      'NODE_ENV is production, where the database is not reset. Drop it with your own tools if you must.',
    )
  }
  const project = await readPrismaProject(process.cwd())
  await withDatabase(process.env, async (database) => {
    const schema = await tableSchema(database.pool)
    const where = schema === 'public' ? '' : `the schema ${schema} of `
    await confirm(`This deletes everything in ${where}${database.description}.`, options)
    if (schema !== undefined) {
      const name = pg.escapeIdentifier(schema)
      await database.pool.query(`DROP SCHEMA ${name} CASCADE; CREATE SCHEMA ${name}`)
    }
    await apply(project, database)
    print(`Reset ${database.description}.`)
  })
}
