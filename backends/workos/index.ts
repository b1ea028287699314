/**
 * The backend for WorkOS AuthKit.
 *
 * @module
 */
export { createWorkosBackend, workosBackendFromEnv } from './backend.js'
export { createWorkosOperator } from './operator.js'
export { type WorkosBackendOptions, workosOptionsFromEnv } from './options.js'
