import { AUTH_ERRORS, type AuthErrorCode, type AuthErrorData } from '@netscript/auth-contract'

/**
 * An error that has a place in the contract. `code` decides the status; `detail` says what happened,
 * then the fix; `cause` stays inside, for the log. Error pages show the details of `AUTH_PROVIDER_ERROR`,
 * `AUTH_ACCESS_DENIED`, `AUTH_USER_DISABLED` and the `AUTH_TRANSACTION_` codes to users: write these
 * without HTTP, names of variables or of products.
 *
 * @example
 * ```ts
 * throw new AuthError('STORE_UNAVAILABLE', 'The database does not answer. Try again in a moment.', {
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
  /** What happened, then the fix, for the caller. */
  readonly detail: string
  /** What the code carries; `undefined` for most. */
  readonly data: AuthErrorData<C> | undefined
  /** `Set-Cookie` values that go out with the error, such as a cleared transaction cookie. */
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

/** The code that a thrown value is answered with. */
export function codeOf(error: unknown): AuthErrorCode {
  return isAuthError(error) ? error.code : 'INTERNAL'
}

/** `AUTH_PROVIDER_ERROR` (502): the provider, or the backend named by `providerId`, cannot do it. */
export function providerError(
  providerId: string,
  reason: string,
  options: { cause?: unknown; setCookies?: readonly string[] } = {},
): AuthError<'AUTH_PROVIDER_ERROR'> {
  return new AuthError('AUTH_PROVIDER_ERROR', reason, { ...options, data: { providerId, reason } })
}

/** A startup error: which variable or option is wrong, and the fix. Never sent to a caller. */
export class AuthConfigurationError extends Error {
  override readonly name = 'AuthConfigurationError'
  /** The same for all of them; the message tells them apart. */
  readonly code = 'AUTH_CONFIGURATION_ERROR'
}

/** Thrown by `resolveBackend` when no backend has the name; lists those that exist. */
export class AuthBackendNotFoundError extends Error {
  override readonly name = 'AuthBackendNotFoundError'
  /** Of this class alone; it is no code of the contract. */
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

/** Thrown by a backend for an operation it cannot do; every backend throws this one class. */
export class AuthBackendOperationUnsupportedError extends Error {
  override readonly name = 'AuthBackendOperationUnsupportedError'
  /** Of this class; the routes answer `AUTH_OPERATION_UNSUPPORTED` (501). */
  readonly code = 'AUTH_BACKEND_OPERATION_UNSUPPORTED'
  constructor(
    readonly backendName: string,
    readonly operation: string,
    readonly reason: string,
  ) {
    super(`${backendName} does not support ${operation}: ${reason}`)
  }
}
