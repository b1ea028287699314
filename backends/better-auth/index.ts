/**
 * The better-auth backend: users sign in with better-auth, and this API authenticates their
 * requests.
 *
 * @module
 */
export * from './backend.js'
export type { BetterAuthInstance, WithHeaders } from './context.js'
export * from './backend.js'
export type { NodeHandler } from './handler.js'
export {
  createNetscriptBetterAuth,
  type NetscriptBetterAuth,
  type NetscriptBetterAuthOptions,
  type PassedOnOptions,
} from './instance.js'
export { createBetterAuthOperator } from './operator.js'
