/** RFC 3339 has years of four digits, and the contract follows it. */
const LAST_INSTANT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * Milliseconds since the epoch as the contract writes instants. Tokens and foreign databases name
 * instants that no such text can say: those become the nearest one, and what is no number the first.
 */
export function isoInstant(ms: number): string {
  return new Date(Math.min(Math.max(ms || 0, 0), LAST_INSTANT_MS)).toISOString()
}
