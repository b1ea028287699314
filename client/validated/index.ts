/**
 * A client that validates every response against the contract. It has the methods and the errors of
 * `@netscript/auth-client`, and depends on zod and ts-rest.
 *
 * @module
 */
export type * from '../auth-api.js'
export * from '../error.js'
export type { Fetch } from '../exchange.js'
export * from './auth-client.js'
