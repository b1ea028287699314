/**
 * Guards for services of others: who is calling, asked of the authentication service, and what they
 * may do. Framework-neutral at the core, with middleware for Express 5.
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
  type GuardLog,
  requireRoles,
  requireScopes,
  requireSession,
  withAuthn,
  type WithAuthnOptions,
} from './express.js'
export type { GuardedPaths } from './guarded-path.js'
export {
  createSessionAuthenticator,
  type SessionAuthenticatorOptions,
} from './session-authenticator.js'
