import { beforeEach, describe, expect, it } from 'vitest'
import type { AuthMetrics, AuthTrace } from '../telemetry.js'
import type { KvOAuthStores, SessionStore } from '../session-store.js'
import { watchedStores } from './watched-stores.js'

let seen: string[]
beforeEach(() => (seen = []))

const metrics: AuthMetrics = {
  signIn: () => {},
  providerRefused: () => undefined,
  sessionRefreshed: (why) => void seen.push(`refreshed: ${why}`),
  sessionsEnded: (end, count) => void seen.push(`ended: ${end} ${count}`),
  storeCall: (operation) => void seen.push(`timed: ${operation}`),
  readBatch: () => {},
}
const trace: AuthTrace = {
  span: (name, _attributes, run) => {
    seen.push(`traced: ${name}`)
    return run()
  },
  annotate: () => {},
}

const sessions = {
  get: async () => undefined,
  extend: async ({ version }: { version: number }) => version === 2,
  revoke: async () => undefined,
  revokeByUser: async () => 3,
  revokeByProviderSession: async () => undefined,
  count: () => Promise.reject(new Error('away')),
} as unknown as SessionStore

const stores = (sharesReads: boolean): KvOAuthStores => ({
  sessions,
  sharesReads,
  transactions: { put: async () => {}, take: async () => undefined },
  users: {} as KvOAuthStores['users'],
  tokens: () => ({}) as ReturnType<KvOAuthStores['tokens']>,
  signIns: () => ({
    complete: async ({ identity, sessionOf }) => ({
      session: sessionOf({ userId: identity.subject, roles: [] }),
      ...{ isNew: false, replaced: 1, evicted: 2 },
    }),
  }),
  probe: async () => {},
  close: async () => {},
})

describe('watched stores', () => {
  it('time every call, also failed ones, except batched reads', async () => {
    const watched = watchedStores(stores(true), { metrics })
    await watched.sessions.get('a')
    expect(seen).toEqual([])
    await watched.transactions.take('key', 'state')
    await expect(watched.sessions.count()).rejects.toThrow('away')
    expect(seen).toEqual(['timed: transaction.take', 'timed: session.count'])
  })

  it('time the reads of a store without batching', async () => {
    await watchedStores(stores(false), { metrics }).sessions.get('a')
    expect(seen).toEqual(['timed: session.get'])
  })

  it('trace every call, also reads, if tracing is on', async () => {
    const watched = watchedStores(stores(true), { metrics, trace })
    await watched.sessions.get('a')
    await watched.transactions.take('key', 'state')
    expect(seen).toEqual([
      'traced: store.session.get',
      'traced: store.transaction.take',
      'timed: transaction.take',
    ])
  })

  it('count extended and ended sessions, and nothing without a session', async () => {
    const watched = watchedStores(stores(true), { metrics }).sessions
    await watched.extend({ version: 2 } as Parameters<SessionStore['extend']>[0], 'used')
    await watched.extend({ version: 9 } as Parameters<SessionStore['extend']>[0], 'used')
    await watched.revoke('a', 'signed-out')
    await watched.revokeByUser('u', 'signed-out-everywhere')
    expect(seen.filter((one) => !one.startsWith('timed'))).toEqual([
      'refreshed: used',
      'ended: signed-out-everywhere 3',
    ])
  })
})
