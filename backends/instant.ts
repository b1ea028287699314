/** The last instant that the contract can express: RFC 3339 years have four digits. */
const LAST_INSTANT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * Formats milliseconds since the epoch as an instant of the contract. Values from tokens or foreign
 * databases that are out of range are clamped; NaN becomes the epoch.
 */
export function isoInstant(ms: number): string {
  return new Date(Math.min(Math.max(ms || 0, 0), LAST_INSTANT_MS)).toISOString()
}
