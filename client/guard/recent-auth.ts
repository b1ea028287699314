import type { Principal, RecentAuth } from '@netscript/auth-contract'
import { parseRecentAuth } from '@netscript/auth-contract/internal'
import { recentAuthRequired, type Refusal } from './refusal.js'

export type { RecentAuth }

/** Allowed clock skew, in seconds, as for the expiry of tokens. */
const CLOCK_TOLERANCE = 5

/**
 * Whether a caller meets a requirement. A caller without `auth_time` never does: nothing says when
 * the provider authenticated them.
 */
export function isRecent({ claims }: Principal, requirement: RecentAuth): boolean {
  const { maxAge, acrValues } = parseRecentAuth('recentAuth', requirement)
  const { auth_time: authTime, acr } = claims
  if (typeof authTime !== 'number') return false
  const age = Date.now() / 1000 - authTime
  const isInTime = age <= maxAge + CLOCK_TOLERANCE && age >= -CLOCK_TOLERANCE
  return isInTime && (!acrValues || (typeof acr === 'string' && acrValues.includes(acr)))
}

/**
 * Checks when and how a caller authenticated, for services without Express. Returns the refusal to
 * respond with, or `undefined` for a caller who meets the requirement.
 *
 * @throws TypeError for a malformed requirement.
 *
 * @example
 * ```ts
 * const who = await authenticator.authenticate(request)
 * const refusal = who.ok ? checkRecentAuth(who.principal, { maxAge: 300 }) : undefined
 * if (refusal) Response.json(refusal.problem, { status: 401, headers: refusal.headers })
 * ```
 */
export function checkRecentAuth(
  principal: Principal,
  requirement: RecentAuth,
  { realm }: { realm?: string } = {},
): Refusal | undefined {
  if (isRecent(principal, requirement)) return undefined
  return recentAuthRequired(requirement, { realm, principal })
}
