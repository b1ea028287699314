import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createTestDatabase } from '../../../prisma/test-database.js'

/** What Postgres says of statements on a database that the service has migrated. */
export async function checkStatements(statements: string): Promise<string[]> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  try {
    await client.connect()
    // Ends with the connection: roles belong to the cluster, where other tests have theirs.
    await client.query('BEGIN')
    await client.query(withOwnRoles(statements))
    return []
  } catch (error) {
    return [(error as Error).message]
  } finally {
    await client.end()
    await database.drop()
  }
}

/** The statements with other names for the roles that they create. */
export function withOwnRoles(statements: string): string {
  const suffix = randomUUID().replaceAll('-', '')
  const roles = [...statements.matchAll(/CREATE ROLE (\w+)/g)].map(([, role]) => role)
  return roles.reduce<string>(
    (text, role) => text.replaceAll(new RegExp(`\\b${role}\\b`, 'g'), `${role}_${suffix}`),
    statements,
  )
}
