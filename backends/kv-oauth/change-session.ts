import type { SessionRecord, SessionRefresh } from './session-store.js'
import type { KvOAuthContext } from './context.js'

/** Maximum lost compare-and-set races before the last read value is returned. */
const ATTEMPTS = 3

/**
 * Changes a live session with compare-and-set. After a lost race, `change` is called again with the
 * newly stored record and may report that nothing is left to do. Returns `undefined` when the
 * session has ended.
 */
export async function changeSession(
  { sessions }: Pick<KvOAuthContext, 'sessions'>,
  record: SessionRecord,
  why: SessionRefresh,
  change: (current: SessionRecord) => Partial<SessionRecord> | undefined,
): Promise<SessionRecord | undefined> {
  let current: SessionRecord | undefined = record
  for (let attempt = 0; attempt < ATTEMPTS && current; attempt += 1) {
    const changes = change(current)
    if (!changes) return current
    const next: SessionRecord = { ...current, ...changes, version: current.version + 1 }
    if (await sessions.extend(next, why)) return next
    current = await sessions.get(record.id)
  }
  return current
}
