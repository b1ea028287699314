/**
 * The better-auth backend: people sign in with better-auth, this API knows who they are.
 *
 * @module
 */
export * from './backend.js'
export type { BetterAuthInstance, WithHeaders } from './context.js'
export * from './from-env.js'
export type { NodeHandler } from './handler.js'
export {
  createNetscriptBetterAuth,
  type NetscriptBetterAuth,
  type NetscriptBetterAuthOptions,
  type PassedOnOptions,
} from './instance.js'
export { createBetterAuthOperator } from './operator.js'
