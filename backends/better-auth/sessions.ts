import {
  AuthError,
  type AuthnRequest,
  type AuthSessionPage,
  type AuthSessionsPort,
  type SessionListOptions,
  type SignOutResult,
} from '@netscript/plugin-auth-core'
import {
  newestFirst,
  pageOf,
  type SessionRange,
  sessionRange,
} from '@netscript/plugin-auth-core/internal'
import { endingAs } from './audit.js'
import { readSession, requestCookies } from './authenticate.js'
import type { BetterAuthInstance } from './context.js'
import { databaseCall } from './database-call.js'
import { parseSessionRow, parseUserRow, positionOf, summaryOf } from './session-mapping.js'

/** Sessions read or ended per batch; better-auth's hooks receive at most one batch. */
const BATCH = 100

interface StoredSession {
  readonly id: string
  readonly token: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Sessions through better-auth's adapter, so that its hooks and those of plugins run. */
export function createBetterAuthSessions(auth: BetterAuthInstance): AuthSessionsPort {
  return {
    signOut: (request, options) => signOut(auth, request, options),
    listSessions: (userId, options) => listSessions(auth, userId, options),
    revokeSession: (userId, sessionId) => revokeSession(auth, userId, sessionId),
    revokeSessions: (userId, options) => revokeSessions(auth, userId, options?.except),
  }
}

async function signOut(
  auth: BetterAuthInstance,
  request: AuthnRequest,
  { everywhere }: { everywhere: boolean },
): Promise<SignOutResult> {
  const cookies = await requestCookies(auth, request)
  const { found } = await readSession(auth, cookies, { disableRefresh: true })
  // The caller's own session ends last: a sign-out that failed midway is retried with it.
  if (found && everywhere) {
    await endingAs('signed-out-everywhere', () =>
      revokeSessions(auth, found.user.id, found.session.id),
    )
  }
  const { headers: answer } = await databaseCall(() =>
    auth.api.signOut({ headers: cookies.headers, returnHeaders: true }),
  )
  // better-auth logs a failed deletion but still reports success.
  if (found) await assertEnded(auth, found.session.id)
  return { ...(found && { sessionId: found.session.id }), setCookies: answer.getSetCookie() }
}

async function listSessions(
  auth: BetterAuthInstance,
  userId: string,
  options?: SessionListOptions,
): Promise<AuthSessionPage> {
  const range = sessionRange(options)
  const { internalAdapter } = await auth.$context
  const userRow = await databaseCall(() => internalAdapter.findUserById(userId))
  if (!userRow) return { sessions: [] }
  const user = parseUserRow(userRow)
  const rows = await readNewest(auth, userId, range)
  return pageOf(rows, range.limit, positionOf, (row) =>
    summaryOf({ session: parseSessionRow(row), user }),
  )
}

/**
 * Reads one session beyond the page, if there is one. The adapter sorts by time alone, so all
 * sessions of the last millisecond are read before cutting.
 */
async function readNewest(
  auth: BetterAuthInstance,
  userId: string,
  { limit, after }: SessionRange,
): Promise<readonly StoredSession[]> {
  const before = after && new Date(after.issuedAt)
  const rows: StoredSession[] = []
  for (;;) {
    const batch = await liveSessions(auth, userId, { before, offset: rows.length })
    rows.push(...batch)
    const page = rows
      .filter((row) => after === undefined || newestFirst(after, positionOf(row)) < 0)
      .sort((a, b) => newestFirst(positionOf(a), positionOf(b)))
    const [last, oldest] = [page[limit], rows.at(-1)]
    const isComplete = last && oldest && oldest.createdAt < last.createdAt
    if (batch.length < BATCH || isComplete) return page.slice(0, limit + 1)
  }
}

async function revokeSession(
  auth: BetterAuthInstance,
  userId: string,
  sessionId: string,
): Promise<boolean> {
  const { internalAdapter } = await auth.$context
  const row = await findSession(auth, sessionId, userId)
  if (!row || row.expiresAt <= new Date()) return false
  await databaseCall(() => internalAdapter.deleteSession(row.token))
  await assertEnded(auth, sessionId)
  return true
}

async function revokeSessions(
  auth: BetterAuthInstance,
  userId: string,
  except?: string,
): Promise<number> {
  const { internalAdapter } = await auth.$context
  const ended = new Set<string>()
  for (;;) {
    const batch = await liveSessions(auth, userId, except === undefined ? {} : { except })
    if (batch.length === 0) return ended.size
    if (batch.some(({ id }) => ended.has(id))) throw notEnded()
    await databaseCall(() => internalAdapter.deleteSessions(batch.map(({ token }) => token)))
    for (const { id } of batch) ended.add(id)
  }
}

async function liveSessions(
  auth: BetterAuthInstance,
  userId: string,
  { except, before, offset = 0 }: { except?: string; before?: Date | undefined; offset?: number },
): Promise<StoredSession[]> {
  const { adapter } = await auth.$context
  return databaseCall(() =>
    adapter.findMany<StoredSession>({
      model: 'session',
      where: [
        { field: 'userId', value: userId },
        { field: 'expiresAt', operator: 'gt', value: new Date() },
        ...(except === undefined ? [] : [{ field: 'id', operator: 'ne' as const, value: except }]),
        ...(before ? [{ field: 'createdAt', operator: 'lte' as const, value: before }] : []),
      ],
      sortBy: { field: 'createdAt', direction: 'desc' },
      limit: BATCH,
      offset,
    }),
  )
}

/** The row of a session, live or not. */
export async function findSession(
  auth: BetterAuthInstance,
  sessionId: string,
  userId?: string,
): Promise<StoredSession | null> {
  // Postgres rejects NUL in text. No id contains it, and this must not look like an outage.
  if (sessionId.includes('\0')) return null
  const { adapter } = await auth.$context
  return databaseCall(() =>
    adapter.findOne<StoredSession>({
      model: 'session',
      where: [
        { field: 'id', value: sessionId },
        ...(userId === undefined ? [] : [{ field: 'userId', value: userId }]),
      ],
    }),
  )
}

async function assertEnded(auth: BetterAuthInstance, sessionId: string): Promise<void> {
  if (await findSession(auth, sessionId)) throw notEnded()
}

const notEnded = (): AuthError =>
  new AuthError('STORE_UNAVAILABLE', 'The session could not be ended. Try again in a moment.')
