import { AuthError } from '../errors.js'

/**
 * Runs a store operation. Whatever goes wrong in it, the caller learns one thing: the store cannot
 * be asked. The reason is kept as `cause` for the log.
 */
export async function storeCall<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw new AuthError(
      'STORE_UNAVAILABLE',
      'The database does not answer. Try again in a moment.',
      {
        cause: error,
      },
    )
  }
}
