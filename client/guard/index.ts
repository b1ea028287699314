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
  checkRecentAuth,
  createScopeAuthorizer,
  type ScopeAuthorizerOptions,
  type ScopeRule,
} from './authorizer.js'
export type { GuardOptions, Requirement } from './caller.js'
export {
  type ExpressMiddleware,
  guardContract,
  requireRecentAuth,
  requireRoles,
  requireScopes,
  requireSession,
  withAuthn,
  type WithAuthnOptions,
  withAuthz,
} from './express.js'
export type { Refusal } from './response.js'
export {
  createSessionAuthenticator,
  type SessionAuthenticatorOptions,
} from './session-authenticator.js'
export {
  createStaticCredentialAuthenticator,
  type StaticCredentialOptions,
} from './static-credentials.js'
export {
  createTokenAuthenticator,
  type TokenAuthenticator,
  type TokenAuthenticatorOptions,
} from './token-authenticator.js'
