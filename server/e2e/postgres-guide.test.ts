import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { betterAuthBackendFromEnv } from '../../backends/better-auth/backend.js'
import { sweepBetterAuth } from '../../prisma/sweep.js'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import { createPool } from '../../prisma/pool.js'
import { sweepRateLimits } from '../../prisma/postgres-rate-limit-store.js'
import { createPostgresStores } from '../../backends/kv-oauth/storage/stores.js'
import { applyMigrations } from '../../prisma/migrate.js'
import { createEmptyTestDatabase } from '../../prisma/test-database.js'
import { withOwnRoles } from './support/check-statements.js'
import { readDocument } from './support/documents.js'
import { startTestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const AUDIENCE = 'https://orders.example'

it('the roles of POSTGRES.md let the owner migrate and the service do all but change tables', async () => {
  const { blocks } = await readDocument('prisma/POSTGRES.md')
  const block = blocks.find(({ language, text }) => language === 'sql' && text.includes('ROLE'))
  const statements = withOwnRoles((block?.text ?? '').replaceAll("'...'", "'secret'"))
  const [owner = '', runtime = ''] = [...statements.matchAll(/CREATE ROLE (\w+)/g)].map(
    ([, role]) => role,
  )
  const database = await createEmptyTestDatabase()
  const administrator = new pg.Client({ connectionString: database.url })
  await administrator.connect()
  await administrator.query(statements)
  const drop = async (): Promise<void> => {
    for (const role of [runtime, owner]) await administrator.query(`DROP OWNED BY ${role} CASCADE`)
    await administrator.query(`DROP ROLE ${owner}, ${runtime}`)
    await administrator.end()
    await database.drop()
  }
  const urlOf = (role: string): string => {
    const url = new URL(database.url)
    url.username = role
    url.password = 'secret'
    return url.href
  }
  const owning = createPool(urlOf(owner))
  await applyMigrations(owning)
  await owning.end()

  const service = await startTestService({
    database: { url: urlOf(runtime), drop },
    env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE },
  })
  onTestFinished(() => service.close())
  const agent = createUserAgent(service.origin)
  await signIn(agent)
  const { user } = await me(agent)
  expect((await agent.post('/api/v1/auth/token', { audience: AUDIENCE })).status).toBe(200)
  expect((await agent.post('/api/v1/auth/signout', { everywhere: true })).status).toBe(200)

  const pool = createPool(urlOf(runtime))
  await createPostgresStores(pool).sessions.sweep(10)
  await sweepRateLimits(pool, 10)
  await sweepBetterAuth(pool, 10)
  expect(await createOperator(pool).deleteUser(user.id)).toBe(true)
  const backend = await betterAuthBackendFromEnv(
    { BETTER_AUTH_SECRET: randomBytes(32).toString('base64url') },
    { pool, baseUrl: service.origin },
  )
  await backend.close()
  for (const statement of [
    'CREATE TABLE another (id int)',
    'ALTER TABLE auth_users ADD COLUMN more int',
    'ALTER TABLE auth_audit_events DISABLE TRIGGER ALL',
    'DROP TABLE auth_audit_events',
    'TRUNCATE auth_keyv',
  ]) {
    await expect(pool.query(statement), statement).rejects.toMatchObject({ code: '42501' })
  }
  await pool.end()
})
