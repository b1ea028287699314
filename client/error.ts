import type { PROBLEM_STATUSES } from './routes.js'

/**
 * The codes of the contract, and what only a client can say: nobody answered, not in time, the
 * caller ended the call, or the answer is not one of the contract.
 */
export type AuthClientErrorCode =
  keyof typeof PROBLEM_STATUSES | 'NETWORK_ERROR' | 'TIMEOUT' | 'ABORTED' | 'UNEXPECTED_RESPONSE'

/**
 * Thrown by every client call that does not succeed. `code` is stable; `status` is 0 when no answer
 * came.
 *
 * @example
 * ```ts
 * import { AuthClientError, createAuthClient } from '@netscript/auth-client'
 *
 * const auth = createAuthClient()
 * try {
 *   await auth.signin({ providerId: 'google' })
 * } catch (error) {
 *   if (error instanceof AuthClientError && error.code === 'STORE_UNAVAILABLE') retryLater()
 *   else throw error
 * }
 * ```
 */
export class AuthClientError extends Error {
  override readonly name = 'AuthClientError'
  /** The code of the contract, or why there is no answer to have one. */
  readonly code: AuthClientErrorCode
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number
  /** `data` of the problem document, such as `fieldErrors`. */
  readonly data: unknown
  /** The id under which the service logged the request. */
  readonly requestId: string | undefined
  /** Seconds after which to try again, when the service said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    code: AuthClientErrorCode,
    message: string,
    details: {
      status?: number
      data?: unknown
      requestId?: string | undefined
      retryAfterSeconds?: number | undefined
      cause?: unknown
    } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = details.status ?? 0
    this.data = details.data
    this.requestId = details.requestId
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}
