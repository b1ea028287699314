const MAX_CHARACTERS = 256

/** Codes, tokens, secrets and keys: long words of letters and digits. */
const SECRET = /(?=[\w\-+/=.~%]*\d)(?=[\w\-+/=.~%]*[a-z])[\w\-+/=.~%]{16,}/gi
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const EMAIL = /[^\s"'<>()]+@[^\s"'<>()]+/g

/**
 * Foreign text for a log line: printable, at most 256 characters, and without what could be a secret
 * or an e-mail address. Ids that a provider asks for when one reports a problem (UUID) stay.
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
