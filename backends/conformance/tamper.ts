const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const POSITIONS = 32

/**
 * Values that differ from `value` in one character, at evenly spread positions and around
 * separators, and two truncated ones.
 */
export function tampered(value: string): readonly string[] {
  const last = value.length - 1
  const spread = Array.from({ length: POSITIONS }, (_, n) =>
    Math.round((n * last) / (POSITIONS - 1)),
  )
  const separators = [...value.matchAll(/[^\w-]/g)].slice(0, POSITIONS).map(({ index }) => index)
  const positions = new Set([...spread, ...separators.flatMap((at) => [at - 1, at, at + 1])])
  const changed = [...positions]
    .filter((at) => at >= 0 && at <= last)
    .map((at) => value.slice(0, at) + other(value.charAt(at)) + value.slice(at + 1))
  return [...changed, value.slice(0, last), value.slice(0, value.length >> 1)]
}

/** Flips the top bit of a base64url digit, because lower bits of the last digit may be unused. */
function other(character: string): string {
  const digit = ALPHABET.indexOf(character)
  return digit < 0 ? 'A' : ALPHABET.charAt(digit ^ 32)
}
