import type { PROBLEM_STATUSES } from './generated/routes.js'

/**
 * The codes of the contract, and those of the client itself: `NETWORK_ERROR` (no response),
 * `TIMEOUT`, `ABORTED` (by the caller's signal) and `UNEXPECTED_RESPONSE` (a response that the
 * contract does not declare).
 */
export type AuthClientErrorCode =
  keyof typeof PROBLEM_STATUSES | 'NETWORK_ERROR' | 'TIMEOUT' | 'ABORTED' | 'UNEXPECTED_RESPONSE'

/**
 * Thrown by every client call that fails. `code` is stable; `status` is 0 when there was no
 * response.
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
  /** The error code of the response, or a code of the client. */
  readonly code: AuthClientErrorCode
  /** The HTTP status; 0 when there was no response. */
  readonly status: number
  /** `data` of the problem document, such as `fieldErrors`. */
  readonly data: unknown
  /** The `X-Request-Id` of the response, as in the service's log. */
  readonly requestId: string | undefined
  /** Seconds to wait before a retry, from `Retry-After`. */
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
