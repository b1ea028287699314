/**
 * Where a backend says what happened. A pino logger fits as it is. Nothing secret is passed to it:
 * no token, no cookie value, no state, no raw subject.
 */
export interface AuthLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Says nothing. */
export const silentLog: AuthLog = { info() {}, warn() {}, error() {} }
