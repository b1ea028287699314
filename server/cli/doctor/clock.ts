import { CLOCK_TOLERANCE_SECONDS } from '@netscript/auth-kv-oauth/internal'
import { fail, type Finding, ok, warn } from './finding.js'

/** Smallest clock difference that is reported, in seconds. */
const NOTICEABLE_SECONDS = 5

/** When a request was sent and when its response arrived, by the local clock, in milliseconds. */
export interface Exchange {
  readonly sentAt: number
  readonly receivedAt: number
}

/**
 * Lower bound of how far a remote clock is ahead of the local one, in seconds. The response was created
 * at some time between the request and its arrival, and the remote clock may show whole seconds only.
 *
 * @param theirs The remote time, in milliseconds.
 * @param resolutionMs Resolution of the remote clock in milliseconds: 1000 for a Date header.
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

/** The time of a Date header plus the Age that a cache adds (RFC 9111), in milliseconds. */
export function dateOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '')
  const age = Number(headers.get('age') ?? 0)
  return Number.isNaN(date) ? undefined : date + (Number.isFinite(age) ? age * 1000 : 0)
}

/**
 * Rates a clock difference. An id_token is rejected when the clocks differ by more than
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
