/**
 * The interface between the HTTP API and the authentication backends: ports, registry, errors,
 * cookies and token cryptography.
 *
 * @module
 */
export { NO_CAPABILITIES } from './capabilities.js'
export type { SessionEnd } from './audit.js'
export { clearCookie, type CookieOptions, setCookie } from './cookie.js'
export * from './errors.js'
export { createKeyring, type Keyring, type KeyPurpose, parseKeyring } from './keyring.js'
export {
  type AuthContractV1,
  authContractV1,
  type AuthSession,
  mapSessionToPrincipal,
} from '@netscript/auth-contract'
export * from './log.js'
export * from './operator.js'
export { noSessionManagement } from './no-session-management.js'
export * from './port.js'
export { createProviderRegistry } from './registry.js'
export * from './registry.js'
export type { PendingRateLimit, RateLimitCharge, RateLimitCount } from './rate-limit-store.js'
export { type AuthnRequest, type RequestParts, singleCookie, toAuthnRequest } from './request.js'
export type { SessionPosition, SessionRange } from './session-page.js'
export { createHmacSessionTokenCrypto } from './session-token.js'
