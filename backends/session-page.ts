import { AuthError } from './errors.js'
import type { SessionListOptions } from './port.js'

/** Maximum number of sessions in a page, and the default. */
export const MAX_SESSIONS_IN_PAGE = 100

/** The place of a session in a list that is sorted newest first. */
export interface SessionPosition {
  /** When the user signed in, in milliseconds since the epoch. */
  readonly issuedAt: number
  /** The public id of the session, for sessions of the same millisecond. */
  readonly id: string
}

/** What a page begins after, and how many sessions it has. */
export interface SessionRange {
  /** Maximum number of sessions. */
  readonly limit: number
  /** The place of the last session of the page before; absent for the first page. */
  readonly after?: SessionPosition | undefined
}

/** Sorts sessions newest first, always in the same order. */
export const newestFirst = (a: SessionPosition, b: SessionPosition): number =>
  b.issuedAt - a.issuedAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

/**
 * The page that is asked for.
 * @throws AuthError `VALIDATION_ERROR` when the cursor is not one of {@link pageOf}.
 */
export function sessionRange({ limit, cursor }: SessionListOptions = {}): SessionRange {
  const size = Math.trunc(limit ?? MAX_SESSIONS_IN_PAGE)
  return {
    limit: Math.min(Math.max(size, 1), MAX_SESSIONS_IN_PAGE),
    ...(cursor !== undefined && { after: openCursor(cursor) }),
  }
}

/**
 * A page of what was read: at least one more than `limit` if there are more. The cursor names the
 * place of the last session, so ending sessions, that one too, neither repeats nor skips any.
 */
export function pageOf<Item>(
  items: readonly Item[],
  limit: number,
  positionOf: (item: Item) => SessionPosition,
): { readonly page: readonly Item[]; readonly cursor?: string } {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  if (items.length <= limit || last === undefined) return { page }
  const { issuedAt, id } = positionOf(last)
  return { page, cursor: `${issuedAt}.${id}` }
}

function openCursor(cursor: string): SessionPosition {
  const [, issuedAt, id] = /^(\d{1,15})\.([^\0]{1,256})$/.exec(cursor) ?? []
  if (issuedAt !== undefined && id !== undefined) return { issuedAt: Number(issuedAt), id }
  throw invalidCursor()
}

/** The error for a cursor that no page of the backend had. */
export const invalidCursor = (): AuthError<'VALIDATION_ERROR'> =>
  new AuthError('VALIDATION_ERROR', 'Use the cursor of the page before, or leave it out.', {
    data: { formErrors: [], fieldErrors: { cursor: ['is not the cursor of a page'] } },
  })
