import { AuthError, isAuthError } from '../../backends/errors.js'
import { type Problem, problemOf } from '../../contract/errors.js'

/** Seconds after which a caller may ask an unreachable store again. */
export const RETRY_AFTER_SECONDS = 2

/** Any error as one of the contract; what is not ours is INTERNAL, and its text stays inside. */
export function toAuthError(error: unknown): AuthError {
  if (isAuthError(error)) return error
  // The router's: a parameter in the path that cannot be decoded names nothing.
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
