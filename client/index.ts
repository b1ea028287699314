/**
 * The typed fetch client of the authentication API. Runs in browsers and in Node.
 *
 * @module
 */
export * from './auth-client.js'
export * from './error.js'
export type { Fetch } from './fetcher.js'
