import pg from 'pg'
import { createTestDatabase } from '../../../prisma/test-database.js'

/** What Postgres says of statements on a database that the service has migrated. */
export async function checkStatements(statements: string): Promise<string[]> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  try {
    await client.connect()
    await client.query(statements)
    return []
  } catch (error) {
    return [(error as Error).message]
  } finally {
    await client.end()
    await database.drop()
  }
}
