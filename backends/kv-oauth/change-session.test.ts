import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionRefresh, SessionStore } from './session-store.js'
import { changeSession } from './change-session.js'

const record = { id: 'id', version: 1, expiresAt: 100 } as SessionRecord
const theirs = (version: number): SessionRecord => ({ ...record, version, expiresAt: 200 })

/** A store in which somebody else writes first, once for each of `others`; `undefined` ends it. */
function contested(...others: (SessionRecord | undefined)[]) {
  const writes: [SessionRecord, SessionRefresh][] = []
  let stored: SessionRecord | undefined = record
  const sessions = {
    async extend(next: SessionRecord, why: SessionRefresh) {
      writes.push([next, why])
      if (others.length > 0) stored = others.shift()
      if (stored?.version !== next.version - 1) return false
      stored = next
      return true
    },
    get: async (id: string) => (id === record.id ? stored : undefined),
  } as Partial<SessionStore> as SessionStore
  return { sessions, writes }
}

describe('changeSession', () => {
  it('writes the change once, as the next version, and says why', async () => {
    const store = contested()
    const next = { ...record, expiresAt: 300, version: 2 }
    expect(await changeSession(store, record, 'used', () => ({ expiresAt: 300 }))).toEqual(next)
    expect(store.writes).toEqual([[next, 'used']])
  })

  it('writes nothing when there is nothing to change', async () => {
    const store = contested()
    expect(await changeSession(store, record, 'used', () => undefined)).toBe(record)
    expect(store.writes).toEqual([])
  })

  it('asks again about what another writer wrote, and builds on that', async () => {
    const seen: SessionRecord[] = []
    const changed = await changeSession(contested(theirs(2)), record, 'tokens-renewed', (now) => {
      seen.push(now)
      return { tokenRefreshAt: 7 }
    })
    expect(seen).toEqual([record, theirs(2)])
    expect(changed).toEqual({ ...theirs(2), tokenRefreshAt: 7, version: 3 })
  })

  it('keeps what another writer wrote when that will do', async () => {
    const store = contested(theirs(2))
    const changed = await changeSession(store, record, 'used', ({ expiresAt }) =>
      expiresAt < 200 ? { expiresAt: 200 } : undefined,
    )
    expect(changed).toEqual(theirs(2))
    expect(store.writes).toHaveLength(1)
  })

  it('leaves an ended session as it is', async () => {
    const store = contested(undefined)
    let asked = 0
    const changed = await changeSession(store, record, 'used', () => {
      asked += 1
      return { expiresAt: 300 }
    })
    expect(changed).toBeUndefined()
    expect(asked).toBe(1)
  })

  it('gives up when another writer was first three times, with what it wrote', async () => {
    const store = contested(theirs(2), theirs(3), theirs(4), theirs(5))
    expect(await changeSession(store, record, 'used', () => ({ expiresAt: 300 }))).toEqual(
      theirs(4),
    )
    expect(store.writes).toHaveLength(3)
  })
})
