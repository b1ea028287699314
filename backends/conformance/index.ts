/**
 * The conformance suite that every authentication backend must pass, including your own. It works
 * with any test runner, or without one.
 *
 * @module
 */
export type { AuthBackendHarness, SessionHook, SignedIn } from './harness.js'
export {
  type AuthBackendCheckOptions,
  type AuthBackendCheckResult,
  checkAuthBackend,
  runAuthBackendConformance,
  type TestRunner,
} from './run.js'
