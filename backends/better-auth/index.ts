/**
 * The better-auth backend: users sign in with better-auth, and this API authenticates their
 * requests.
 *
 * @module
 */
export {
  type BetterAuthBackend,
  type BetterAuthBackendOptions,
  betterAuthBackendFromEnv,
  type BetterAuthFromEnvOptions,
  createBetterAuthBackend,
  readSecret,
} from './backend.js'
export type { BetterAuthInstance } from './context.js'
export {
  createNetscriptBetterAuth,
  type NetscriptBetterAuth,
  type NetscriptBetterAuthOptions,
  type PassedOnOptions,
} from './instance.js'
export { createBetterAuthOperator } from './operator.js'
