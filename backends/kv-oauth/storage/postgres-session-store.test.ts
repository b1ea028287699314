import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { createPostgresSessionStore } from './postgres-session-store.js'
import { sessionRecord } from './session-store-suite.js'

describe('an unavailable database', () => {
  const pool = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' })
  pool.on('error', () => undefined)
  const store = createPostgresSessionStore(pool)

  it('is an error, never a missing session', async () => {
    const unavailable = { code: 'STORE_UNAVAILABLE' }
    await expect(store.get('id')).rejects.toMatchObject(unavailable)
    await expect(store.create(sessionRecord('user'))).rejects.toMatchObject(unavailable)
    await expect(store.extend(sessionRecord('user'), 'used')).rejects.toMatchObject(unavailable)
    await expect(store.revoke('id', 'signed-out')).rejects.toMatchObject(unavailable)
    await expect(store.listByUser('user')).rejects.toMatchObject(unavailable)
    await expect(store.revokeByUser('user', 'signed-out')).rejects.toMatchObject(unavailable)
    await expect(
      store.revokeByProviderSession({ issuer: 'issuer', sid: 'sid' }),
    ).rejects.toMatchObject(unavailable)
    await expect(store.sweep(1)).rejects.toMatchObject(unavailable)
    await expect(store.count()).rejects.toMatchObject(unavailable)
    await expect(store.probe()).rejects.toMatchObject(unavailable)
  })
})
