import { AuthError } from '@netscript/plugin-auth-core'
import { storeError } from './database-error.js'

/**
 * Runs a store operation in the database.
 * @throws AuthError `STORE_UNAVAILABLE` when the database is unavailable, `INTERNAL` when it
 * rejects the statement. The reason is kept as `cause` for the log.
 */
export const storeCall = <T>(operation: () => Promise<T>): Promise<T> => call(operation)

/** Like {@link storeCall}, for a store in Redis, which may also need the database. */
export const redisCall = <T>(operation: () => Promise<T>): Promise<T> =>
  call(operation, 'The session store is unavailable. Try again in a moment.')

async function call<T>(operation: () => Promise<T>, detail?: string): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw storeError(error, detail)
  }
}
