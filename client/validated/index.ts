/**
 * The client that validates every answer against the contract. It has the calls and the errors of
 * `@netscript/auth-client`, and brings zod and ts-rest with it.
 *
 * @module
 */
export type * from '../auth-api.js'
export * from '../error.js'
export type { Fetch } from '../exchange.js'
export * from './auth-client.js'
