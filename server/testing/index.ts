/**
 * The authentication API in the process of a test: the real engine over a backend in memory.
 *
 * @module
 */
export type { Duration } from './duration.js'
export type { TestFetch } from './engine-fetch.js'
export { createFixedAuthenticator } from './fixed-authenticator.js'
export type { StorageState } from './storage-state.js'
export {
  createTestAuth,
  type TestAuth,
  type TestAuthOptions,
  type TestClock,
  type TestUser,
} from './test-auth.js'
export type { TestBrowser } from './test-browser.js'
export type { TestUserInput } from './test-user.js'
