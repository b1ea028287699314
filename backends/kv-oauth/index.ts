/**
 * The kv-oauth backend: interactive OAuth 2.0 and OpenID Connect sign-in, sessions in Postgres or
 * Redis.
 *
 * @module
 */
export type { AdmissionRules } from './admission.js'
export type { AdmissionCandidate, AdmissionDecision, Admit } from './admit.js'
export { createKvOAuthBackend, type KvOAuthBackend, type KvOAuthBackendOptions } from './backend.js'
export type { AuthEvents, SignInEvent, SignOutEvent, UserCreatedEvent } from './events.js'
export { DEFAULT_SESSION_POLICY, type SessionPolicy } from './context.js'
export type { AuthMetrics } from './telemetry.js'
export { createOperator, openStores } from './operator.js'
export {
  isPresetName,
  presetNames,
  type PresetOptions,
  providerFromPreset,
  providers,
} from './presets.js'
export { defineOAuthProvider } from './define-provider.js'
export type { OAuthProvider, OAuthProviderOptions, UserInfoFields } from './provider.js'
export { getRequiredEnv } from './required-env.js'
export type { AuthStores, SessionRefresh } from './session-store.js'
export type { StoreOptions } from './storage/stores.js'
export type { AuthTrace } from './telemetry.js'
