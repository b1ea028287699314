/**
 * Authentication and authorization for services behind the authentication service. The core is
 * independent of frameworks; middleware for Express 5 and ts-rest is included.
 *
 * @module
 */
export {
  type Authentication,
  type Authenticator,
  GuardUnavailableError,
  type GuardRequest,
  type Principal,
} from './authenticator.js'
export {
  type Authorizer,
  type AuthzDecision,
  type AuthzRequest,
  createScopeAuthorizer,
  type ScopeAuthorizerOptions,
  type ScopeRule,
} from './authorizer.js'
export type { GuardLog, GuardOptions, Requirement } from './caller.js'
export { guardContract, type GuardedContract } from './contract-guard.js'
export {
  type ExpressMiddleware,
  type ExpressRequest,
  type ExpressResponse,
  requireRecentAuth,
  requireRoles,
  requireScopes,
  requireSession,
  withAuthn,
  type WithAuthnOptions,
  withAuthz,
} from './express.js'
export type { GuardedPaths } from './guarded-path.js'
export { checkRecentAuth, type RecentAuth } from './recent-auth.js'
export type { Refusal } from './refusal.js'
export {
  createSessionAuthenticator,
  type SessionAuthenticatorOptions,
} from './session-authenticator.js'
export {
  createStaticCredentialAuthenticator,
  type StaticCredentialOptions,
  type StaticIdentity,
} from './static-credentials.js'
export {
  createTokenAuthenticator,
  type TokenAuthenticator,
  type TokenAuthenticatorOptions,
} from './token-authenticator.js'
