/**
 * The log of a backend, such as a pino logger. Secrets are never logged: no token, no cookie value,
 * no state, no raw subject.
 */
export interface AuthLog {
  /** Expected events. `fields` may have `err`, a code, or public ids. */
  info(fields: object, message: string): void
  /** Problems that were handled. */
  warn(fields: object, message: string): void
  /** Problems that were not handled. */
  error(fields: object, message: string): void
}

/** Discards everything. */
export const silentLog: AuthLog = { info() {}, warn() {}, error() {} }
