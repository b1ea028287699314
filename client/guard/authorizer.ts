import type { Principal, RecentAuth } from '@netscript/auth-contract'
import { parseRecentAuth } from '@netscript/auth-contract/internal'
import { recentAuthRequired, type Refusal } from './response.js'

/** The input of an authorization decision. */
export interface AuthzRequest {
  /** The authenticated caller. */
  readonly principal: Principal
  /** In upper case: `GET`. */
  readonly method: string
  /** The full path without the query, such as `/api/orders/1`. */
  readonly path: string
}

/** An authorization decision. `reason` is stable, for logs and tests. */
export type AuthzDecision =
  | { readonly allow: true }
  | {
      readonly allow: false
      /** A stable identifier, such as `authz.no-matching-rule`. */
      readonly reason: string
      /** Missing scopes to name in the response. @default none */
      readonly missingScopes?: string[]
      /** Missing roles to name in the response. @default none */
      readonly missingRoles?: string[]
      /** The requirement that a sign-in must meet: the response is 401 then. @default none */
      readonly recentAuth?: RecentAuth
    }

/** Decides whether a caller may make a request. */
export interface Authorizer {
  /** An error that it throws is logged and denies the request. */
  authorize(request: AuthzRequest): AuthzDecision | Promise<AuthzDecision>
}

/** A rule of {@link createScopeAuthorizer}. All scopes and roles that it lists are required. */
export interface ScopeRule {
  /** Whether the rule applies to the request. */
  match: (request: AuthzRequest) => boolean
  /** Scopes that the caller needs, all of them. @default none */
  requireScopes?: readonly string[]
  /** Roles that the caller needs, all of them. @default none */
  requireRoles?: readonly string[]
  /** How recently the caller must have authenticated at the provider. @default any time */
  requireRecentAuth?: RecentAuth
}

/** Options of {@link createScopeAuthorizer}. */
export interface ScopeAuthorizerOptions {
  /** In order: the first match decides. */
  rules: readonly ScopeRule[]
  /** Deny requests that match no rule. @default true */
  denyByDefault?: boolean
}

/**
 * Creates an authorizer that applies the first matching rule. It denies with
 * `authz.no-matching-rule`, `authz.missing-scope:<scope>` or `authz.missing-role:<role>`, which name
 * the first that is missing, or `authz.recent-auth-required`.
 *
 * @example
 * ```ts
 * createScopeAuthorizer({
 *   rules: [{ match: ({ path }) => path.startsWith('/api/orders'), requireScopes: ['orders:read'] }],
 * })
 * ```
 */
export function createScopeAuthorizer({
  rules,
  denyByDefault = true,
}: ScopeAuthorizerOptions): Authorizer {
  for (const { requireRecentAuth } of rules) {
    if (requireRecentAuth) parseRecentAuth('requireRecentAuth', requireRecentAuth)
  }
  return {
    authorize(request) {
      const rule = rules.find(({ match }) => match(request))
      if (rule) return decide(request.principal, rule)
      return denyByDefault ? { allow: false, reason: 'authz.no-matching-rule' } : { allow: true }
    },
  }
}

export function decide(
  principal: Principal,
  {
    requireScopes = [],
    requireRoles = [],
    requireRecentAuth: recentAuth,
  }: Omit<ScopeRule, 'match'>,
): AuthzDecision {
  const missingScopes = requireScopes.filter((scope) => !principal.scopes.includes(scope))
  const missingRoles = requireRoles.filter((role) => !principal.roles.includes(role))
  const [scope] = missingScopes
  const [role] = missingRoles
  if (scope === undefined && role === undefined) {
    if (!recentAuth || isRecent(principal, recentAuth)) return { allow: true }
    return { allow: false, reason: 'authz.recent-auth-required', recentAuth }
  }
  const reason = scope !== undefined ? `authz.missing-scope:${scope}` : `authz.missing-role:${role}`
  return { allow: false, reason, missingScopes, missingRoles }
}

/** Allowed clock skew, in seconds, as for the expiry of tokens. */
const CLOCK_TOLERANCE = 5

/**
 * Whether a caller meets a requirement. A caller without `auth_time` never does: nothing says when
 * the provider authenticated them.
 */
function isRecent({ claims }: Principal, requirement: RecentAuth): boolean {
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
