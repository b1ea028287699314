import type { SessionRecord, SessionRefresh } from './session-store.js'
import type { KvOAuthContext } from './context.js'

/** Somebody else can win this often in a row before we answer with what they wrote. */
const ATTEMPTS = 3

/**
 * Changes a live session with compare-and-set. When somebody else was first, `change` is asked again
 * about what they wrote and may answer that nothing is left to do; when the session is over it stays
 * over and the answer is `undefined`.
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
