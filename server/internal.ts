/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export { type AuthApiOptions, createEngine, type Engine } from './engine/engine.js'
export { BodyTooLargeError } from './engine/message.js'
export { createLogger } from './log.js'
export { createAccessTokens } from './tokens/token-issuer.js'
export type { SigningKey, SigningKeyStore } from './tokens/signing-keys.js'
