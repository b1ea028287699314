import type { AuthSession } from '@netscript/auth-contract'
import { AuthError } from './errors.js'
import type { AuthSessionPage, SessionListOptions } from './port.js'

/** Maximum and default number of sessions per page. */
export const MAX_SESSIONS_IN_PAGE = 100

/** The position of a session in a list that is sorted newest first. */
export interface SessionPosition {
  /** When the user signed in, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** The public id, as a tie-breaker for sessions of the same millisecond. */
  readonly id: string
}

/** The start and size of a page of sessions. */
export interface SessionRange {
  /** Maximum number of sessions. */
  readonly limit: number
  /** The position of the last session of the previous page; absent for the first page. */
  readonly after?: SessionPosition | undefined
}

/** Compares sessions for a stable order, newest first. */
export const newestFirst = (a: SessionPosition, b: SessionPosition): number =>
  b.issuedAt - a.issuedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

/**
 * Parses the options of a list into a range.
 * @throws AuthError `VALIDATION_ERROR` when the cursor was not created by {@link pageOf}.
 */
export function sessionRange({ limit, cursor }: SessionListOptions = {}): SessionRange {
  const size = Math.trunc(limit ?? MAX_SESSIONS_IN_PAGE)
  return {
    limit: Math.min(Math.max(size, 1), MAX_SESSIONS_IN_PAGE),
    ...(cursor !== undefined && { after: openCursor(cursor) }),
  }
}

/**
 * Cuts a page from `items`, which must have at least one more than `limit` if there are more. The
 * cursor is the position of the last session, so that sessions which end meanwhile (even that one) do
 * not cause others to be repeated or skipped.
 */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  positionOf: (item: Item) => SessionPosition,
  summaryOf: (item: Item) => { session: AuthSession; userAgent?: string | undefined },
): AuthSessionPage {
  const page = items.slice(0, limit)
  const last = items.length > limit ? page.at(-1) : undefined
  const next = last && positionOf(last)
  return {
    sessions: page.map((item) => {
      const { session, userAgent } = summaryOf(item)
      return { session, ...(userAgent !== undefined && { userAgent }) }
    }),
    ...(next && { cursor: `${next.issuedAt}.${next.id}` }),
  }
}

function openCursor(cursor: string): SessionPosition {
  const [, issuedAt, id] = /^(\d{1,15})\.([^\0]{1,256})$/.exec(cursor) ?? []
  if (issuedAt !== undefined && id !== undefined) return { issuedAt: Number(issuedAt), id }
  throw invalidCursor()
}

/** The error for an invalid cursor. */
export const invalidCursor = (): AuthError<'VALIDATION_ERROR'> =>
  new AuthError('VALIDATION_ERROR', 'Use the cursor of the page before, or leave it out.', {
    data: { formErrors: [], fieldErrors: { cursor: ['is not the cursor of a page'] } },
  })
