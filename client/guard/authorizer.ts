import type { Principal } from '../../contract/principal.js'

/** What is to be decided. `path` is without the query. */
export interface AuthzRequest {
  readonly principal: Principal
  readonly method: string
  readonly path: string
}

/** A decision. `reason` is stable, for logs and tests. */
export type AuthzDecision =
  | { readonly allow: true }
  | {
      readonly allow: false
      readonly reason: string
      readonly missingScopes?: string[]
      readonly missingRoles?: string[]
    }

/** Decides what a caller may do. */
export interface Authorizer {
  authorize(request: AuthzRequest): AuthzDecision | Promise<AuthzDecision>
}

/** A rule of {@link createScopeAuthorizer}: all that it lists is required. */
export interface ScopeRule {
  match: (request: AuthzRequest) => boolean
  requireScopes?: readonly string[]
  requireRoles?: readonly string[]
}

/** Options of {@link createScopeAuthorizer}. */
export interface ScopeAuthorizerOptions {
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
