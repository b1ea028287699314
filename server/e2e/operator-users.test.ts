import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createBetterAuthOperator } from '../../backends/better-auth/operator.js'
import { createOperator } from '../../backends/kv-oauth/operator.js'
import type { Operator } from '../../backends/operator.js'
import { createPool } from '../../prisma/pool.js'
import { createPostgresUserStore } from '../../backends/kv-oauth/storage/postgres-user-store.js'

/** How users of a backend come into its tables. */
interface Backend {
  readonly users: string
  open(pool: PostgresPool): Pick<Operator, 'findUsers' | 'getUser'>
  add(pool: PostgresPool, user: NewUser): Promise<string>
}

interface NewUser {
  readonly providerId: string
  readonly subject: string
  readonly displayName: string
  readonly email: string
}

const BACKENDS: Record<string, Backend> = {
  'kv-oauth': {
    users: 'auth_users',
    open: createOperator,
    async add(pool, { providerId, subject, ...profile }) {
      const identity = { providerId, issuer: 'i', subject, profile }
      return (await createPostgresUserStore(pool).signIn(identity)).userId
    },
  },
  'better-auth': {
    users: 'better_auth_users',
    open: createBetterAuthOperator,
    async add(pool, { providerId, subject, displayName, email }) {
      const id = randomUUID()
      await pool.query('INSERT INTO better_auth_users (id, name, email) VALUES ($1, $2, $3)', [
        ...[id, displayName, email],
      ])
      await pool.query(
        'INSERT INTO better_auth_accounts (id, account_id, provider_id, user_id) VALUES ($1, $2, $3, $1)',
        [id, subject, providerId],
      )
      return id
    },
  },
}

describe.each(Object.entries(BACKENDS))('the users of %s', (name, backend) => {
  let database: TestDatabase
  let pool: PostgresPool
  let directory: ReturnType<Backend['open']>
  const ids: string[] = []
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    directory = backend.open(pool)
    for (let n = 0; n < 5; n += 1) {
      const profile = { displayName: `User ${n} 50%`, email: `user_${n}@example.com` }
      const account = { providerId: n % 2 ? 'google' : 'github', subject: `s${n}` }
      ids.unshift(await backend.add(pool, { ...account, ...profile }))
    }
    // All of one moment, so that the order needs the id as well.
    await pool.query(`UPDATE ${backend.users} SET created_at = '2026-01-01 00:00:00.001'`)
    ids.sort().reverse()
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  const found = async (text: string): Promise<number> =>
    (await directory.findUsers({ text })).users.length

  it('takes the wildcards of SQL as they are written', async () => {
    const all = (await directory.findUsers()).users.length
    expect(await found('50%')).toBe(all)
    expect(await found('user_')).toBe(all)
    for (const text of ['%', '_', '\\']) {
      expect(await found(`Use${text}`), text).toBe(0)
    }
  })

  it('finds nothing for text that Postgres cannot hold, and refuses a cursor that it did not make', async () => {
    expect(await found('\0')).toBe(0)
    expect(await directory.getUser('\0')).toBeUndefined()
    for (const cursor of ['', 'x', '1', `1.\0`, `${'9'.repeat(15)}0.id`]) {
      await expect(directory.findUsers({ cursor }), cursor).rejects.toThrow('cursor')
    }
  })

  it('finds users by id, name, address, provider subject and provider', async () => {
    const { users } = await directory.findUsers({ text: 'user_2@' })
    const [user] = users
    expect(users).toHaveLength(1)
    for (const text of [user!.id, 'USER 2 ', 'USER_2@EXAMPLE.COM', 's2']) {
      expect((await directory.findUsers({ text })).users, text).toEqual(users)
    }
    const atGitHub = await directory.findUsers({ text: 'user', providerId: 'github' })
    expect(atGitHub.users.flatMap(({ accounts }) => accounts)).not.toContainEqual(
      expect.objectContaining({ providerId: 'google' }),
    )
    expect(atGitHub.users).toContainEqual(user)
    expect((await directory.findUsers({ providerId: 'unknown' })).users).toEqual([])
  })

  it('shows accounts, the last sign-in and whether the user is disabled', async () => {
    const [id = ''] = ids
    await pool.query(`UPDATE ${backend.users} SET disabled_at = now() WHERE id = $1`, [id])
    const user = await directory.getUser(id)
    expect(user?.accounts).toEqual([
      { providerId: expect.any(String) as string, subject: expect.any(String) as string },
    ])
    if (name === 'kv-oauth') expect(user?.lastSignInAt).toMatch(/Z$/)
    else expect(user).not.toHaveProperty('lastSignInAt')
    expect(user?.createdAt).toMatch(/\.001Z$/)
    expect(user?.disabledAt).toMatch(/Z$/)
    expect(await directory.getUser('unknown')).toBeUndefined()
  })

  // Last: it deletes any one of the users.
  it('pages through all users once, also when the last user of a page is deleted', async () => {
    const first = await directory.findUsers({ limit: 2 })
    await pool.query(`DELETE FROM ${backend.users} WHERE id = $1`, [ids[1]])
    const second = await directory.findUsers({ limit: 2, cursor: first.cursor ?? '' })
    const third = await directory.findUsers({ limit: 2, cursor: second.cursor ?? '' })
    const pages = [first, second, third].map(({ users }) => users.map(({ id }) => id))
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    expect(third).not.toHaveProperty('cursor')
  })
})
