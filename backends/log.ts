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

const MAX_CHARACTERS = 256

/** Likely codes, tokens, secrets and keys: long words of letters and digits. */
const SECRET = /(?=[\w\-+/=.~%]*\d)(?=[\w\-+/=.~%]*[a-z])[\w\-+/=.~%]{16,}/gi
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const EMAIL = /[^\s"'<>()]+@[^\s"'<>()]+/g

/**
 * Sanitizes foreign text for a log line: printable characters, at most 256, without likely secrets
 * and e-mail addresses. UUIDs stay, because providers ask for such ids in error reports.
 */
export function printable(text: string): string {
  return text
    .slice(0, 4 * MAX_CHARACTERS)
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}]+/gu, ' ')
    .replace(EMAIL, '…')
    .replace(SECRET, (word) => (UUID.test(word) ? word : '…'))
    .slice(0, MAX_CHARACTERS)
    .trim()
}
