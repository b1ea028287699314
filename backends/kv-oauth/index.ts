/**
 * The kv-oauth backend: interactive OAuth 2.0 and OpenID Connect sign-in, sessions in Postgres or
 * Redis.
 *
 * @module
 */
export type { AdmissionRules } from './admission.js'
export type { AdmissionCandidate, AdmissionDecision, Admit } from './admit.js'
export * from './backend.js'
export type { AuthEvents, SignInEvent, SignOutEvent, UserCreatedEvent } from './events.js'
export { DEFAULT_SESSION_POLICY, type SessionPolicy } from './context.js'
export type * from './metrics.js'
export { createOperator } from './operator.js'
export * from './presets.js'
export * from './provider.js'
export * from './required-env.js'
export type * from './session-store.js'
export { openStores, type StoreOptions } from './storage/stores.js'
export type { AuthTrace, TraceAttributes } from './trace.js'
export { createHmacSessionTokenCrypto } from '@netscript/plugin-auth-core'
