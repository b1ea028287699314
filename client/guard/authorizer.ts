import type { Principal, RecentAuth } from '@netscript/auth-contract'
import { parseRecentAuth } from '@netscript/auth-contract/internal'
import { isRecent } from './recent-auth.js'

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
