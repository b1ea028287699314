/**
 * The typed fetch client of the authentication API, for browsers and Node.
 *
 * @module
 */
export type * from './auth-api.js'
export { createAuthClient } from './auth-client.js'
export * from './error.js'
export type { Fetch } from './exchange.js'
