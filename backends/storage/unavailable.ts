import { AuthError } from '../errors.js'

/**
 * Runs an operation of a store in the database. Whatever goes wrong in it, the caller learns one
 * thing: the store cannot be asked. The reason is kept as `cause` for the log.
 */
export const storeCall = <T>(operation: () => Promise<T>): Promise<T> =>
  call('The database does not answer. Try again in a moment.', operation)

/** The same for a store in Redis, which may need the database too. */
export const redisCall = <T>(operation: () => Promise<T>): Promise<T> =>
  call('The session store does not answer. Try again in a moment.', operation)

async function call<T>(detail: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw new AuthError('STORE_UNAVAILABLE', detail, { cause: error })
  }
}
