import type { Principal } from '@netscript/auth-contract'

/** What is to be decided. `path` is without the query. */
export interface AuthzRequest {
  /** Who is calling. */
  readonly principal: Principal
  /** In capitals: `GET`. */
  readonly method: string
  /** The whole path without the query, such as `/api/orders/1`. */
  readonly path: string
}

/** A decision. `reason` is stable, for logs and tests. */
export type AuthzDecision =
  | { readonly allow: true }
  | {
      readonly allow: false
      /** A word of the authorizer, such as `authz.no-matching-rule`. */
      readonly reason: string
      /** What the answer names as missing. Default: nothing. */
      readonly missingScopes?: string[]
      /** What the answer names as missing. Default: nothing. */
      readonly missingRoles?: string[]
    }

/** Decides what a caller may do. */
export interface Authorizer {
  /** May the caller do this? What it throws is a refusal, and is logged. */
  authorize(request: AuthzRequest): AuthzDecision | Promise<AuthzDecision>
}

/** A rule of {@link createScopeAuthorizer}: all that it lists is required. */
export interface ScopeRule {
  /** Whether the rule is for the request. */
  match: (request: AuthzRequest) => boolean
  /** All of them are needed. Default: none. */
  requireScopes?: readonly string[]
  /** All of them are needed. Default: none. */
  requireRoles?: readonly string[]
}

/** Options of {@link createScopeAuthorizer}. */
export interface ScopeAuthorizerOptions {
  /** In their order: the first that matches decides. */
  rules: readonly ScopeRule[]
  /** Whether what no rule matches is denied. Default: true. */
  denyByDefault?: boolean
}

/**
 * Decides by the first rule that matches. The reasons are `authz.no-matching-rule`,
 * `authz.missing-scope:<scope>` and `authz.missing-role:<role>`, for the first that is missing.
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
  return {
    authorize(request) {
      const rule = rules.find(({ match }) => match(request))
      if (rule) return decide(request.principal, rule)
      return denyByDefault ? { allow: false, reason: 'authz.no-matching-rule' } : { allow: true }
    },
  }
}

/** Whether a principal has all the scopes and roles, and if not, which are missing. */
export function decide(
  principal: Principal,
  { requireScopes = [], requireRoles = [] }: Pick<ScopeRule, 'requireScopes' | 'requireRoles'>,
): AuthzDecision {
  const missingScopes = requireScopes.filter((scope) => !principal.scopes.includes(scope))
  const missingRoles = requireRoles.filter((role) => !principal.roles.includes(role))
  const [scope] = missingScopes
  const [role] = missingRoles
  if (scope === undefined && role === undefined) return { allow: true }
  const reason = scope !== undefined ? `authz.missing-scope:${scope}` : `authz.missing-role:${role}`
  return { allow: false, reason, missingScopes, missingRoles }
}
