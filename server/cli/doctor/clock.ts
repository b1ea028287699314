import { CLOCK_TOLERANCE_SECONDS } from '@netscript/auth-kv-oauth/internal'
import { fail, type Finding, ok, warn } from './finding.js'

/** From here on a difference is worth fixing, in seconds. */
const NOTICEABLE_SECONDS = 5

/** When an answer was asked for and when it was here, by our clock, in milliseconds. */
export interface Exchange {
  readonly sentAt: number
  readonly receivedAt: number
}

/**
 * How far their clock is before ours, in seconds: at least, since the answer was made some time
 * between request and answer, and their clock may show whole seconds only.
 *
 * @param theirs What their clock showed, in milliseconds.
 * @param resolutionMs How coarse it is: 1000 for a Date header.
 */
export function skewSeconds(
  { sentAt, receivedAt }: Exchange,
  theirs: number,
  resolutionMs = 1,
): number {
  if (theirs > receivedAt) return (theirs - receivedAt) / 1000
  const latest = theirs + resolutionMs
  return latest < sentAt ? (latest - sentAt) / 1000 : 0
}

/** What a Date header says, in milliseconds; a cache adds how old the answer is (RFC 9111). */
export function dateOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '')
  const age = Number(headers.get('age') ?? 0)
  return Number.isNaN(date) ? undefined : date + (Number.isFinite(age) ? age * 1000 : 0)
}

/**
 * Whether a difference matters. An id_token is refused when the clocks differ by more than
 * `CLOCK_TOLERANCE_SECONDS`.
 */
export function clockFinding(code: string, whose: string, skew: number): Finding {
  const seconds = Math.round(Math.abs(skew))
  const message = `The clock of ${whose} is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} this machine.`
  const fix = 'Let both keep time by NTP; on this machine see "timedatectl status".'
  if (Math.abs(skew) > CLOCK_TOLERANCE_SECONDS) return fail(code, message, fix)
  if (Math.abs(skew) > NOTICEABLE_SECONDS) return warn(code, message, fix)
  return ok(code, `The clock of ${whose} agrees with this machine.`)
}
