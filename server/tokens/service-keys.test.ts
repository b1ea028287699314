import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPool } from '../../prisma/pool.js'
import { createTestDatabase, type TestDatabase } from '../../prisma/test-database.js'
import {
  createServiceKey,
  createServiceKeys,
  listServiceKeys,
  revokeServiceKey,
} from './service-keys.js'

const LIMITS = { audience: 'https://orders.example', providers: ['google'], scopes: ['calendar'] }

describe('service keys', () => {
  let database: TestDatabase
  let pool: PostgresPool
  beforeAll(async () => {
    database = await createTestDatabase()
    pool = createPool(database.url)
  })
  afterAll(async () => {
    await pool.end()
    await database.drop()
  })

  it('are accepted with their limits, and stored as a hash', async () => {
    const { key, secret } = await createServiceKey(pool, { name: 'stored', ...LIMITS })
    expect(secret).toMatch(/^nsk_[\da-f]{16}_[\w-]{43}$/)
    expect(await createServiceKeys(pool).authenticate(secret)).toEqual(key)
    expect(key).toMatchObject({ name: 'stored', ...LIMITS })
    const { rows } = await pool.query('SELECT * FROM auth_service_keys')
    expect(JSON.stringify(rows)).not.toContain(secret.slice(21))
    expect(JSON.stringify(await listServiceKeys(pool))).not.toContain('hash')
  })

  it.each<[string, (secret: string, other: string) => string]>([
    ['another secret', (secret) => secret.slice(0, -1) + (secret.endsWith('A') ? 'B' : 'A')],
    ['the secret of another key', (secret, other) => secret.slice(0, 21) + other.slice(21)],
    ['its id alone', (secret) => secret.slice(0, 21)],
    ['text after it', (secret) => `${secret}A`],
    ['a line break after it', (secret) => `${secret}\n`],
    ['another prefix', (secret) => secret.replace('nsk', 'NSK')],
    ['nothing', () => ''],
    ['SQL', () => "' OR true --"],
  ])('are refused with %s', async (_what, change) => {
    const name = `refused-${Math.random()}`
    const { secret } = await createServiceKey(pool, { name, ...LIMITS })
    const { secret: other } = await createServiceKey(pool, { name, ...LIMITS })
    expect(await createServiceKeys(pool).authenticate(secret)).toBeDefined()
    expect(await createServiceKeys(pool).authenticate(change(secret, other))).toBeUndefined()
  })

  it('rotate: two of a name are valid, a third is refused until one is revoked', async () => {
    const create = () => createServiceKey(pool, { name: 'rotated', ...LIMITS })
    const [old, fresh] = [await create(), await create()]
    await expect(create()).rejects.toThrow(/2 valid keys named "rotated"/)
    const keys = createServiceKeys(pool)
    expect(await keys.authenticate(old.secret)).toBeDefined()
    expect(await revokeServiceKey(pool, old.key.id)).toBe(true)
    expect(await revokeServiceKey(pool, old.key.id)).toBe(false)
    expect(await keys.authenticate(old.secret)).toBeUndefined()
    expect(await keys.authenticate(fresh.secret)).toBeDefined()
    await create()
  })

  it('are at most two of a name, however many are created at once', async () => {
    const attempts = Array.from({ length: 8 }, () =>
      createServiceKey(pool, { name: 'raced', ...LIMITS }),
    )
    const settled = await Promise.allSettled(attempts)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
  })

  it('record each token that they receive, and their use by the hour', async () => {
    const { key } = await createServiceKey(pool, { name: 'audited', ...LIMITS })
    const keys = createServiceKeys(pool)
    for (let at = 0; at < 2; at += 1) {
      await keys.issued(key, { sessionId: 'session', providerId: 'google' })
    }
    const { rows } = await pool.query(
      'SELECT type, provider_id, session_id FROM auth_audit_events WHERE reason = $1',
      [key.id],
    )
    const event = { type: 'provider-token.issued', provider_id: 'google', session_id: 'session' }
    expect(rows).toEqual([event, event])
    const used = (await listServiceKeys(pool)).find(({ id }) => id === key.id)
    expect(used?.lastUsedAt).toMatch(/:00:00.000Z$/)
  })
})
