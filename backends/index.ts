/**
 * The seam between the HTTP surface and whatever knows the people: ports, registry, errors and
 * token cryptography.
 *
 * @module
 */
export { NO_CAPABILITIES } from './capabilities.js'
export type { SessionEnd } from './audit.js'
export { clearCookie, type CookieOptions, setCookie } from './cookie.js'
export * from './errors.js'
export { createKeyring, type Keyring, type KeyPurpose, parseKeyring } from './keyring.js'
export { mapSessionToPrincipal } from '@netscript/auth-contract'
export * from './log.js'
export * from './kv-oauth/metrics.js'
export * from './operator.js'
export { createOperator } from '@netscript/auth-kv-oauth/internal'
export { noSessionManagement } from './no-session-management.js'
export * from './port.js'
export { createProviderRegistry } from './provider-registry.js'
export * from './registry.js'
export { type AuthnRequest, type RequestParts, singleCookie, toAuthnRequest } from './request.js'
export type { SessionPosition, SessionRange } from './session-page.js'
export type * from './kv-oauth/session-store.js'
export type { AuthTrace, TraceAttributes } from '@netscript/auth-kv-oauth/internal'
export { createHmacSessionTokenCrypto } from './session-token.js'
export { createPool, type PoolOptions } from '@netscript/auth-database/internal'
export { type AuthStores, openStores, type StoreOptions } from '@netscript/auth-kv-oauth/internal'
