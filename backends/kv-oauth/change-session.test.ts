import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionRefresh, SessionStore } from './session-store.js'
import { changeSession } from './change-session.js'

const record = { id: 'id', version: 1, expiresAt: 100 } as SessionRecord
const theirs = (version: number): SessionRecord => ({ ...record, version, expiresAt: 200 })

/** A store with concurrent writes: each of `others` is written first; `undefined` ends the session. */
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
  it('writes the change once, as the next version, with its reason', async () => {
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

  it('retries on top of a concurrent write', async () => {
    const seen: SessionRecord[] = []
    const changed = await changeSession(contested(theirs(2)), record, 'tokens-renewed', (now) => {
      seen.push(now)
      return { tokenRefreshAt: 7 }
    })
    expect(seen).toEqual([record, theirs(2)])
    expect(changed).toEqual({ ...theirs(2), tokenRefreshAt: 7, version: 3 })
  })

  it('keeps a concurrent write if no change is needed any more', async () => {
    const store = contested(theirs(2))
    const changed = await changeSession(store, record, 'used', ({ expiresAt }) =>
      expiresAt < 200 ? { expiresAt: 200 } : undefined,
    )
    expect(changed).toEqual(theirs(2))
    expect(store.writes).toHaveLength(1)
  })

  it('does not restore an ended session', async () => {
    const store = contested(undefined)
    let asked = 0
    const changed = await changeSession(store, record, 'used', () => {
      asked += 1
      return { expiresAt: 300 }
    })
    expect(changed).toBeUndefined()
    expect(asked).toBe(1)
  })

  it('gives up after three concurrent writes and returns the last one', async () => {
    const store = contested(theirs(2), theirs(3), theirs(4), theirs(5))
    expect(await changeSession(store, record, 'used', () => ({ expiresAt: 300 }))).toEqual(
      theirs(4),
    )
    expect(store.writes).toHaveLength(3)
  })
})
