/**
 * The kv-oauth backend: interactive OAuth 2.0 and OpenID Connect sign-in, sessions in Postgres.
 *
 * @module
 */
export * from './backend.js'
export { DEFAULT_SESSION_POLICY, SESSION_COOKIE_NAME, type SessionPolicy } from './context.js'
export * from './presets.js'
export * from './provider.js'
export * from './required-env.js'
export { createHmacSessionTokenCrypto } from '@netscript/plugin-auth-core'
