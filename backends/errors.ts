import { AUTH_ERRORS, type AuthErrorCode, type AuthErrorData } from '@netscript/auth-contract'

/**
 * An error of the contract. `code` determines the status. `detail` says what happened, then how to
 * fix it. `cause` is only logged. Error pages show `detail` of `AUTH_PROVIDER_ERROR`,
 * `AUTH_ACCESS_DENIED`, `AUTH_NOT_ADMITTED`, `AUTH_USER_DISABLED`, `AUTH_STEP_UP_FAILED`,
 * `AUTH_SESSION_CHANGED`, `AUTH_ACCOUNT_CONFLICT` and the `AUTH_TRANSACTION_` codes to users, so it must not mention HTTP,
 * variables or products.
 *
 * @example
 * ```ts
 * throw new AuthError('STORE_UNAVAILABLE', 'The database is unavailable. Try again in a moment.', {
 *   cause: error,
 * })
 * ```
 */
export class AuthError<C extends AuthErrorCode = AuthErrorCode> extends Error {
  override readonly name: string = 'AuthError'
  /** The code of the contract. */
  readonly code: C
  /** The HTTP status of the code. */
  readonly status: number
  /** What happened, then how to fix it, for the caller. */
  readonly detail: string
  /** Structured details; `undefined` for most codes. */
  readonly data: AuthErrorData<C> | undefined
  /** `Set-Cookie` values of the error response, such as a cleared transaction cookie. */
  readonly setCookies: readonly string[]

  constructor(
    code: C,
    detail: string,
    options: { cause?: unknown; setCookies?: readonly string[]; data?: AuthErrorData<C> } = {},
  ) {
    super(`${code}: ${detail}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.status = AUTH_ERRORS[code].status
    this.detail = detail
    this.data = options.data
    this.setCookies = options.setCookies ?? []
  }
}

/** Whether a thrown value is an {@link AuthError}, of any code. */
export function isAuthError(error: unknown): error is AuthError {
  return error instanceof AuthError
}

/** The error code of the response to a thrown value. */
export function codeOf(error: unknown): AuthErrorCode {
  return isAuthError(error) ? error.code : 'INTERNAL'
}

/** Creates an `AUTH_PROVIDER_ERROR` (502). `providerId` names the provider or the backend. */
export function providerError(
  providerId: string,
  reason: string,
  options: { cause?: unknown; setCookies?: readonly string[] } = {},
): AuthError<'AUTH_PROVIDER_ERROR'> {
  return new AuthError('AUTH_PROVIDER_ERROR', reason, { ...options, data: { providerId, reason } })
}

/** A startup error: names the wrong variable or option and the fix. Never sent to a caller. */
export class AuthConfigurationError extends Error {
  override readonly name = 'AuthConfigurationError'
  /** Fixed; the message has the details. */
  readonly code = 'AUTH_CONFIGURATION_ERROR'
}

/** Thrown by `resolveBackend` for an unknown name. Lists the names that exist. */
export class AuthBackendNotFoundError extends Error {
  override readonly name = 'AuthBackendNotFoundError'
  /** Not a code of the contract. */
  readonly code = 'AUTH_BACKEND_NOT_FOUND'
  constructor(
    readonly backendName: string,
    readonly availableBackends: readonly string[],
  ) {
    super(
      `Auth backend "${backendName}" is not registered. Set NETSCRIPT_AUTH_BACKEND to one of: ${availableBackends.join(', ')}.`,
    )
  }
}

/** Thrown by every backend for an operation that it does not support. */
export class AuthBackendOperationUnsupportedError extends Error {
  override readonly name = 'AuthBackendOperationUnsupportedError'
  /** Not a code of the contract: routes respond `AUTH_OPERATION_UNSUPPORTED` (501). */
  readonly code = 'AUTH_BACKEND_OPERATION_UNSUPPORTED'
  constructor(
    readonly backendName: string,
    readonly operation: string,
    readonly reason: string,
  ) {
    super(`${backendName} does not support ${operation}: ${reason}`)
  }
}
