import type { AuthErrorCode, Problem } from '@netscript/auth-contract'
import { problemOf } from '@netscript/auth-contract/internal'
import { AuthError, isAuthError } from '@netscript/plugin-auth-core'
import type { Logger } from '../log.js'
import { errorPage, errorWords } from '../pages/error-page.js'
import type { HeaderField } from './message.js'

/** Retry-After in seconds when the store is unreachable. */
const RETRY_AFTER_SECONDS = 2

/** An error whose response has further headers. */
export class AuthErrorWithHeaders<C extends AuthErrorCode> extends AuthError<C> {
  constructor(
    code: C,
    detail: string,
    options: ConstructorParameters<typeof AuthError<C>>[2],
    readonly headers: readonly HeaderField[],
  ) {
    super(code, detail, options)
  }
}

/** Maps any error to one of the contract; an unknown error is INTERNAL, and its text is not disclosed. */
export function toAuthError(error: unknown): AuthError {
  if (isAuthError(error)) return error
  // From the router: a path parameter that cannot be decoded identifies nothing.
  if (error instanceof URIError) {
    return new AuthError('NOT_FOUND', 'The address cannot be decoded.', { cause: error })
  }
  return new AuthError('INTERNAL', 'Try again; if it stays, report the request id.', {
    cause: error,
  })
}

/** The RFC 9457 document of an error. */
export function toProblem({ code, detail, data }: AuthError): Problem {
  return problemOf(code, detail, data)
}

/** An error as a response: a problem document, or a page for a browser. */
interface ErrorResponse {
  readonly status: number
  readonly setCookies: readonly string[]
  /** Further headers. */
  readonly headers: readonly HeaderField[]
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number
  readonly type: string
  readonly body: string
}

/** Logs an error with its cause, and creates a response that discloses only what the caller may know. */
export function respondToError(
  logger: Logger,
  thrown: unknown,
  { requestId, asPage }: { requestId: string; asPage: boolean },
): ErrorResponse {
  const error = toAuthError(thrown)
  const fields = { requestId, code: error.code, err: error.cause }
  if (error.status >= 500) logger.error(fields, error.message)
  else logger.info(fields, error.message)
  const problem = toProblem(error)
  return {
    status: problem.status,
    setCookies: error.setCookies,
    headers: error instanceof AuthErrorWithHeaders ? error.headers : [],
    ...(error.status === 503 && { retryAfter: RETRY_AFTER_SECONDS }),
    ...(asPage
      ? {
          type: 'text/html',
          body: errorPage({ ...errorWords(error), code: error.code, requestId }),
        }
      : { type: 'application/problem+json', body: JSON.stringify(problem) }),
  }
}
