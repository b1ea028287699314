/** Milliseconds, or a number with a unit: `'90s'`, `'31m'`, `'12h'`, `'7d'`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd'}`

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 60 * 60_000,
  d: 24 * 60 * 60_000,
}

/**
 * A duration in milliseconds.
 * @throws TypeError when it is not a duration of zero or more.
 */
export function millisecondsOf(duration: Duration): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(String(duration)) ?? []
  const ms = typeof duration === 'number' ? duration : Number(count) * (UNITS[unit] ?? NaN)
  if (ms >= 0 && Number.isFinite(ms)) return Math.round(ms)
  throw new TypeError(
    `${String(duration)} is not a duration. Write milliseconds, or a number with s, m, h or d, such as '31m'.`,
  )
}
