/**
 * The session as a store that any frontend framework can subscribe to. On a server it renders the
 * `initial` state that it was given.
 *
 * @module
 */
export type { SessionSnapshot } from './session-snapshot.js'
export { createSessionStore, type SessionStore, type SessionStoreOptions } from './session-store.js'
