import pg from 'pg'
import { inject } from 'vitest'
import { applyMigrations } from '../../../prisma/migrate.js'
import { createEmptyTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import { createPool } from '../pool.js'

/** How a database differs from one that has everything in `public` and is in UTC. */
export interface Place {
  /** Settings that every connection begins with, as those of a role. */
  settings?: Readonly<Record<string, string>>
  /** Parameters of the URL. */
  parameters?: Readonly<Record<string, string>>
  /** The schema that the tables are then in. Default: `public`. */
  schema?: string
  /** Leads the URL through something. */
  through?: (url: string) => string
}

/** Settings under which times shift and are written in another way, where that is not prevented. */
export const ABROAD = { TimeZone: `'Asia/Kolkata'`, DateStyle: `'German'` }

/** A database without tables, as a {@link Place} has it. */
export async function createPlacedDatabase({
  settings = {},
  parameters = {},
  through = (url) => url,
}: Place): Promise<TestDatabase> {
  const database = await createEmptyTestDatabase()
  const url = new URL(database.url)
  const name = url.pathname.slice(1)
  for (const [setting, value] of Object.entries(settings)) {
    await administer(`ALTER DATABASE ${name} SET ${setting} = ${value}`)
  }
  for (const [parameter, value] of Object.entries(parameters)) {
    url.searchParams.set(parameter, value)
  }
  // A pooler keeps its connections when those who used them are gone.
  const drop = (): Promise<void> => administer(`DROP DATABASE ${name} WITH (FORCE)`)
  return { url: through(url.href), drop }
}

async function administer(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') })
  await admin.connect()
  await admin.query(statement)
  await admin.end()
}

/** The same with the migrations applied. */
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
