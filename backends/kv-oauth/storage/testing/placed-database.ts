import pg from 'pg'
import { inject } from 'vitest'
import { applyMigrations } from '../../../../prisma/migrate.js'
import { createEmptyTestDatabase, type TestDatabase } from '../../../../prisma/test-database.js'
import { createPool } from '../../../../prisma/pool.js'

/** How a database differs from the default, with all tables in `public` and in UTC. */
export interface Place {
  /** Settings of every connection, set on the role if `ownRole`, else on the database. */
  settings?: Readonly<Record<string, string>>
  /**
   * Whether the URL has a role of its own, which may only use `schema`.
   * @default false: a superuser
   */
  ownRole?: boolean
  /** Parameters of the URL. */
  parameters?: Readonly<Record<string, string>>
  /** The schema of the tables. @default 'public' */
  schema?: string
  /** Maps the URL, such as to that of a pooler. */
  through?: (url: string) => string
}

/** Settings that shift and reformat times unless the code prevents it. */
export const ABROAD = { TimeZone: `'Asia/Kolkata'`, DateStyle: `'German'` }

/** Creates a database without tables. */
export async function createPlacedDatabase({
  settings = {},
  parameters = {},
  ownRole = false,
  schema = 'public',
  through = (url) => url,
}: Place): Promise<TestDatabase> {
  const database = await createEmptyTestDatabase()
  const url = new URL(database.url)
  const name = url.pathname.slice(1)
  const role = `role_${name}`
  if (ownRole) {
    url.username = role
    await administer(`CREATE ROLE ${role} LOGIN PASSWORD '${url.password}'`)
    await administer(`CREATE SCHEMA ${pg.escapeIdentifier(schema)} AUTHORIZATION ${role}`, name)
  }
  for (const [setting, value] of Object.entries(settings)) {
    await administer(
      `ALTER ${ownRole ? `ROLE ${role}` : `DATABASE ${name}`} SET ${setting} = ${value}`,
    )
  }
  for (const [parameter, value] of Object.entries(parameters)) {
    url.searchParams.set(parameter, value)
  }
  // FORCE, because a pooler keeps its connections open after its clients have disconnected.
  const drop = async (): Promise<void> => {
    await administer(`DROP DATABASE ${name} WITH (FORCE)`)
    if (ownRole) await administer(`DROP ROLE ${role}`)
  }
  return { url: through(url.href), drop }
}

async function administer(statement: string, database?: string): Promise<void> {
  const url = new URL(inject('postgresUrl'))
  if (database !== undefined) url.pathname = database
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  await admin.query(statement)
  await admin.end()
}

/** Creates a database and applies the migrations. */
export async function createMigratedDatabase(place: Place): Promise<TestDatabase> {
  const database = await createPlacedDatabase(place)
  const pool = createPool(database.url)
  try {
    await applyMigrations(pool)
    return database
  } finally {
    await pool.end()
  }
}
