/**
 * Where a backend says what happened. A pino logger fits as it is. Nothing secret is passed to it:
 * no token, no cookie value, no state, no raw subject.
 */
export interface AuthLog {
  /** What is as it should be. `fields` may have `err`, a code, or ids that are public. */
  info(fields: object, message: string): void
  /** What is not as it should be, and was dealt with. */
  warn(fields: object, message: string): void
  /** What was not dealt with. */
  error(fields: object, message: string): void
}

/** Says nothing. */
export const silentLog: AuthLog = { info() {}, warn() {}, error() {} }
