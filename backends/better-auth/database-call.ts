import { storeError } from '@netscript/auth-database/internal'

/**
 * Runs something that asks the database through better-auth.
 * @throws AuthError `STORE_UNAVAILABLE` when the database cannot be asked, `INTERNAL` when it refuses
 * what it is asked.
 */
export async function databaseCall<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw databaseError(error)
  }
}

/** The error of the database, as {@link storeError} has it. */
export function databaseError(error: unknown): ReturnType<typeof storeError> {
  return storeError(error, undefined, reasonOf(error))
}

/**
 * The first cause, fit for a log. Prisma writes the arguments of the query into its messages, session
 * tokens among them, and closes with a line that says what is wrong; better-auth attaches it all.
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
