import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../prisma/test-database.js'
import type { UserProfile } from '../session-store.js'
import { createPool } from '../../../prisma/pool.js'
import { createPostgresUserStore } from './postgres-user-store.js'

const ADA = { providerId: 'p', issuer: 'https://p.example', subject: 'ada' }
const COUNTS = `SELECT (SELECT count(*)::int FROM auth_users) AS users,
  (SELECT count(*)::int FROM auth_accounts) AS accounts`

let database: TestDatabase
let pools: PostgresPool[]
beforeAll(async () => {
  database = await createTestDatabase()
  pools = [createPool(database.url), createPool(database.url)]
})
afterAll(async () => {
  for (const pool of pools) await pool.end()
  await database.drop()
})

it('creates one user for concurrent first sign-ins of the same user', async () => {
  const stores = pools.map((pool) => createPostgresUserStore(pool))
  const signIns = Array.from({ length: 40 }, (_, n) =>
    stores[n % stores.length]!.signIn({ ...ADA, profile: { displayName: `Ada ${n}` } }),
  )
  const ids = (await Promise.all(signIns)).map(({ userId }) => userId)
  expect(new Set(ids).size).toBe(1)
  expect((await pools[0]!.query(COUNTS)).rows).toEqual([{ users: 1, accounts: 1 }])
})

it('stores the profile of a new user, and null for missing fields', async () => {
  const store = createPostgresUserStore(pools[0]!)
  const { userId: told } = await store.signIn({
    ...ADA,
    subject: 'told',
    profile: {
      displayName: 'Grace',
      email: 'grace@example.test',
      emailVerified: true,
      imageUrl: 'https://p.example/grace.png',
    },
  })
  const { userId: untold } = await store.signIn({ ...ADA, subject: 'untold', profile: {} })
  const { rows } = await pools[0]!.query(
    `SELECT person.id, display_name, email, email_verified, image_url, disabled_at,
       provider_id, issuer, subject
     FROM auth_users AS person JOIN auth_accounts ON user_id = person.id
     WHERE person.id IN ($1, $2) ORDER BY subject`,
    [told, untold],
  )
  const account = { provider_id: 'p', issuer: ADA.issuer, disabled_at: null }
  expect(rows).toEqual([
    {
      ...account,
      id: told,
      subject: 'told',
      display_name: 'Grace',
      email: 'grace@example.test',
      email_verified: true,
      image_url: 'https://p.example/grace.png',
    },
    {
      ...account,
      id: untold,
      subject: 'untold',
      display_name: null,
      email: null,
      email_verified: false,
      image_url: null,
    },
  ])
})

const [MINE, OTHER] = ['ada@example.test', 'other@example.test']
const verified = { email: MINE, emailVerified: true }
it.each<[string, UserProfile, UserProfile, [string | null, boolean]]>([
  ['another address without a verdict', verified, { email: OTHER }, [OTHER, false]],
  [
    'the address in capital letters',
    verified,
    { email: MINE.toUpperCase() },
    [MINE.toUpperCase(), false],
  ],
  [
    'another address that is verified',
    verified,
    { email: OTHER, emailVerified: true },
    [OTHER, true],
  ],
  [
    'another address that is not verified',
    verified,
    { email: OTHER, emailVerified: false },
    [OTHER, false],
  ],
  ['the same address without a verdict', verified, { email: MINE }, [MINE, true]],
  [
    'the same address that is not verified',
    verified,
    { ...verified, emailVerified: false },
    [MINE, false],
  ],
  ['the same address that is verified now', { email: MINE }, verified, [MINE, true]],
  ['no address', verified, { displayName: 'Ada' }, [MINE, true]],
  ['a verdict without an address', { email: MINE }, { emailVerified: true }, [MINE, false]],
  ['a first address without a verdict', {}, { email: MINE }, [MINE, false]],
  ['a first address that is verified', {}, verified, [MINE, true]],
  ['a verdict without any address', { emailVerified: true }, {}, [null, false]],
])(
  'keeps email_verified together with its address: a second sign-in with %s',
  async (_what, first, second, [email, email_verified]) => {
    const store = createPostgresUserStore(pools[0]!)
    const person = { ...ADA, subject: randomUUID() }
    const { userId } = await store.signIn({ ...person, profile: first })
    await store.signIn({ ...person, profile: second })
    const { rows } = await pools[0]!.query(
      'SELECT email, email_verified FROM auth_users WHERE id = $1',
      [userId],
    )
    expect(rows).toEqual([{ email, email_verified }])
  },
)

it('rejects a disabled user and changes nothing', async () => {
  const store = createPostgresUserStore(pools[0]!)
  const grace = { ...ADA, subject: 'disabled' }
  const { userId } = await store.signIn({ ...grace, profile: { displayName: 'Before' } })
  await store.disable(userId)
  await expect(store.signIn({ ...grace, profile: { displayName: 'After' } })).rejects.toMatchObject(
    { code: 'AUTH_USER_DISABLED' },
  )
  const { rows } = await pools[0]!.query('SELECT display_name FROM auth_users WHERE id = $1', [
    userId,
  ])
  expect(rows).toEqual([{ display_name: 'Before' }])
})
