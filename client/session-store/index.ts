/**
 * Who is signed in, as a store that any frontend framework can subscribe to. For browsers; on a
 * server it renders what it was given.
 *
 * @module
 */
export type { SessionSnapshot } from './session-snapshot.js'
export { createSessionStore, type SessionStore, type SessionStoreOptions } from './session-store.js'
