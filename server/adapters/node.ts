import type { RequestListener } from 'node:http'
import { type AuthApiOptions, createEngine } from '../engine/engine.js'
import { listenerOf } from './node-message.js'

/**
 * Creates the authentication API as a request listener for `node:http`.
 *
 * @param otherwise Handles requests outside the API. @default 404
 *
 * @example
 * ```ts
 * createServer(createAuthListener({ backend, origin: 'http://localhost:3000' })).listen(3000)
 * ```
 */
export function createAuthListener(
  options: AuthApiOptions,
  otherwise?: RequestListener,
): RequestListener {
  return listenerOf(createEngine(options), otherwise)
}
