import { createTestDatabase } from '../../prisma/test-database.js'
import { createPool } from './pool.js'
import { createPostgresStores } from './stores.js'
import { providerTokenStoreSuite } from './provider-token-store-suite.js'
import { createTestUser } from './testing/test-user.js'

providerTokenStoreSuite('Postgres', async () => {
  const database = await createTestDatabase()
  const pool = createPool(database.url)
  const stores = createPostgresStores(pool)
  return {
    ...stores,
    createUser: () => createTestUser(stores.users),
    async stored(id) {
      const { rows } = await pool.query<Record<string, string | null>>(
        'SELECT access_token, refresh_token, id_token FROM auth_provider_tokens WHERE session_key = $1',
        [`session:${id}`],
      )
      return rows[0] ?? {}
    },
    async overwrite(id, fields) {
      for (const [field, value] of Object.entries(fields)) {
        await pool.query(`UPDATE auth_provider_tokens SET ${field} = $2 WHERE session_key = $1`, [
          `session:${id}`,
          value,
        ])
      }
    },
    async close() {
      await pool.end()
      await database.drop()
    },
  }
})
