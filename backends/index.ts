/**
 * The interface between the HTTP API and the authentication backends: ports, registry, errors,
 * cookies and token cryptography.
 *
 * @module
 */
export type { SessionEnd } from './audit.js'
export { clearCookie, setCookie } from './cookie.js'
export {
  AuthBackendNotFoundError,
  AuthBackendOperationUnsupportedError,
  AuthConfigurationError,
  AuthError,
  isAuthError,
  providerError,
} from './errors.js'
export { type Keyring, type KeyPurpose, parseKeyring } from './keyring.js'
export { authContractV1, type AuthSession, mapSessionToPrincipal } from '@netscript/auth-contract'
export { type AuthLog, silentLog } from './log.js'
export type { Operator, OperatorUser, UserPage, UserSearch } from './operator.js'
export * from './port.js'
export {
  type AuthBackendRegistry,
  createAuthBackendRegistry,
  createProviderRegistry,
  DEFAULT_AUTH_BACKEND_NAME,
  resolveBackend,
} from './registry.js'
export type { PendingRateLimit, RateLimitCharge, RateLimitCount } from './rate-limit-store.js'
export { type AuthnRequest, type RequestParts, singleCookie, toAuthnRequest } from './request.js'
export { createHmacSessionTokenCrypto } from './session-token.js'
export { noSessionManagement, unsupportedOperator } from './unsupported.js'
