/**
 * What every auth backend must do, as a suite: for the backends here, and for anyone who writes
 * another. It needs no particular test runner.
 *
 * @module
 */
export type { AuthBackendCheck } from './check.js'
export { AUTH_BACKEND_CHECKS } from './checks.js'
export type { AuthBackendHarness, SessionHook, SignedIn } from './harness.js'
export * from './run.js'
export type { Scene } from './scene.js'
