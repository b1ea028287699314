/**
 * The conformance suite that every authentication backend must pass, including your own. It works
 * with any test runner, or without one.
 *
 * @module
 */
export type { AuthBackendCheck } from './scene.js'
export { AUTH_BACKEND_CHECKS } from './run.js'
export type { AuthBackendHarness, SessionHook, SignedIn } from './harness.js'
export * from './run.js'
export type { Scene } from './scene.js'
