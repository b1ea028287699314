import { storeError } from '@netscript/auth-database/internal'

/**
 * Runs a database operation of better-auth.
 * @throws AuthError `STORE_UNAVAILABLE` when the database is unavailable, `INTERNAL` when it
 * rejects the statement.
 */
export async function databaseCall<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw databaseError(error)
  }
}

/** The database error as {@link storeError} reports it. */
export function databaseError(error: unknown): ReturnType<typeof storeError> {
  return storeError(error, undefined, reasonOf(error))
}

/**
 * The innermost cause, safe to log. Prisma includes query arguments in its messages, session tokens
 * among them, and ends with a line that states the reason; better-auth attaches the whole message.
 */
export function reasonOf(error: unknown): Error {
  let first = error
  while (first instanceof Error && first.cause instanceof Error) first = first.cause
  if (!(first instanceof Error)) return new Error('Unknown failure')
  const reason = new Error(first.message.trimEnd().split('\n').at(-1))
  reason.name = first.name
  return 'code' in first && typeof first.code === 'string'
    ? Object.assign(reason, { code: first.code })
    : reason
}
