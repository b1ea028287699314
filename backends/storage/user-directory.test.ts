import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import { createPool } from './pool.js'
import { createPostgresUserStore } from './postgres-user-store.js'
import { createUserDirectory } from './user-directory.js'

describe('the user directory', () => {
  let database: TestDatabase
  let pool: pg.Pool
  let directory: ReturnType<typeof createUserDirectory>
  const ids: string[] = []
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
    directory = createUserDirectory(pool)
    const users = createPostgresUserStore(pool)
    for (let n = 0; n < 5; n += 1) {
      const profile = { displayName: `User ${n} 50%`, email: `user_${n}@example.com` }
      const identity = { providerId: n % 2 ? 'google' : 'github', issuer: 'i', subject: `s${n}` }
      ids.unshift((await users.signIn({ ...identity, profile })).userId)
    }
    // All of one moment, so that the order needs the id as well.
    await pool.query(`UPDATE auth_users SET created_at = '2026-01-01'`)
    ids.sort().reverse()
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  const found = async (text: string): Promise<number> =>
    (await directory.find({ text })).users.length

  it('pages through all users once, also when the last user of a page is deleted', async () => {
    const first = await directory.find({ limit: 2 })
    await pool.query('DELETE FROM auth_users WHERE id = $1', [ids[1]])
    const second = await directory.find({ limit: 2, cursor: first.cursor ?? '' })
    const third = await directory.find({ limit: 2, cursor: second.cursor ?? '' })
    const pages = [first, second, third].map(({ users }) => users.map(({ id }) => id))
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    expect(third).not.toHaveProperty('cursor')
  })

  it('takes the wildcards of SQL as they are written', async () => {
    const all = (await directory.find()).users.length
    expect(await found('50%')).toBe(all)
    expect(await found('user_')).toBe(all)
    for (const text of ['%', '_', '\\']) {
      expect(await found(`Use${text}`), text).toBe(0)
    }
  })

  it('finds nothing for text that Postgres cannot hold, and refuses a cursor that it did not make', async () => {
    expect(await found('\0')).toBe(0)
    expect(await directory.get('\0')).toBeUndefined()
    for (const cursor of ['', 'x', '1', `1.\0`, `${'9'.repeat(15)}0.id`]) {
      await expect(directory.find({ cursor }), cursor).rejects.toThrow('cursor')
    }
  })

  it('shows accounts, the last sign-in and whether the user is disabled', async () => {
    const [id = ''] = ids
    await pool.query('UPDATE auth_users SET disabled_at = now() WHERE id = $1', [id])
    const user = await directory.get(id)
    expect(user?.accounts).toEqual([
      { providerId: expect.any(String) as string, subject: expect.any(String) as string },
    ])
    expect(user?.lastSignInAt).toMatch(/Z$/)
    expect(user?.disabledAt).toMatch(/Z$/)
    expect(await directory.get('unknown')).toBeUndefined()
  })
})
