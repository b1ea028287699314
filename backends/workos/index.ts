/**
 * The backend for WorkOS AuthKit.
 *
 * @module
 */
export { createWorkosBackend } from './backend.js'
export { workosBackendFromEnv, workosOptionsFromEnv } from './environment.js'
export { createWorkosOperator } from './operator.js'
export type { WorkosBackendOptions } from './options.js'
