import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createTestDatabase } from '../../../prisma/test-database.js'
import { createKeyring } from '../../keyring.js'
import { createPool } from '../../../prisma/pool.js'
import { sessionRecord } from './session-store-suite.js'
import { openStores } from './stores.js'
import { describeWithRedis } from './testing/describe-with-redis.js'
import { ask, startTestRedis, startTestRedisCluster } from './testing/redis-server.js'
import { createTestUser, withAccounts } from './testing/test-user.js'

describeWithRedis('the Redis guide', () => {
  it('lists every permission that the service needs', async () => {
    const guide = await readFile(new URL('REDIS.md', import.meta.url), 'utf8')
    const [, rights = ''] = /^ACL SETUSER netscript (.*)$/m.exec(guide) ?? []
    const cluster = await startTestRedisCluster()
    const database = await createTestDatabase()
    const pool = createPool(database.url)
    try {
      for (const { port } of cluster.nodes) {
        await ask(port, 'acl', 'setuser', 'netscript', ...rights.split(' '))
        await ask(port, 'acl', 'setuser', 'default', 'off')
      }
      const warnings: object[] = []
      const stores = await openStores({
        pool,
        sessionStore: cluster.urls.replaceAll('//', '//netscript:password@'),
        log: { info() {}, warn: (fields) => void warnings.push(fields), error() {} },
      })
      try {
        expect(warnings).toContainEqual({ code: 'REDIS_NOT_DURABLE' })
        const { sessions, transactions, users } = withAccounts(stores)
        const tokens = stores.tokens(createKeyring([randomBytes(32)]))
        const record = sessionRecord(await createTestUser(users))
        await transactions.put('a', { stateHash: 's', sealed: 's' }, 60_000)
        expect(await transactions.take('a', 's')).toBe('s')
        await sessions.create(record)
        await tokens.save(record, record.providerId, { accessToken: 'access' })
        const lease = await tokens.lease(record, record.providerId, 60_000)
        expect(lease).toMatchObject({ accessToken: 'access' })
        await tokens.release(record, record.providerId)
        await tokens.save(record, 'linked', { accessToken: 'linked' })
        expect([...(await tokens.readLinked(record)).keys()]).toEqual(['linked'])
        expect(await sessions.extend({ ...record, version: 2 }, 'used')).toBe(true)
        expect(await sessions.listByUser(record.userId)).toHaveLength(1)
        expect(await sessions.count()).toBe(1)
        await stores.probe()
        const once = { key: 'once', ttlMs: 60_000 }
        expect(await sessions.revokeByProviderSession(record, once)).toBe(1)
      } finally {
        await stores.close()
      }
    } finally {
      await pool.end()
      await database.drop()
      await cluster.close()
    }
  })

  it('a missing permission or an entry of another type is a fault, not an outage', async () => {
    const redis = await startTestRedis()
    const database = await createTestDatabase()
    const pool = createPool(database.url)
    const stores = await openStores({ pool, sessionStore: redis.url })
    try {
      const { sessions, transactions, users } = stores
      const record = sessionRecord(await createTestUser(users))
      await ask(redis.port, 'lpush', `ns:{session:${record.id}}`, 'no session')
      await expect(sessions.get(record.id)).rejects.toMatchObject({ code: 'INTERNAL' })
      await ask(redis.port, 'acl', 'setuser', 'default', '-@scripting', '-@write')
      const calls = [
        () => sessions.create(record),
        () => transactions.put('a', { stateHash: 's', sealed: 's' }, 60_000),
        () => transactions.take('a', 's'),
      ]
      for (const call of calls) {
        await expect(call(), String(call)).rejects.toMatchObject({ code: 'INTERNAL' })
      }
    } finally {
      await stores.close()
      await pool.end()
      await database.drop()
      await redis.close()
    }
  })
})
