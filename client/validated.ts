/**
 * A client that validates every response against the contract. It has the methods and the errors of
 * `@netscript/auth-client`, and needs `@netscript/auth-contract`.
 *
 * @module
 */
import { accountContractV1, authContractV1, protocolContractV1 } from '@netscript/auth-contract'
import type { AuthClient, AuthClientOptions } from './auth-api.js'
import { clientWith } from './auth-client.js'

export type * from './auth-api.js'
export * from './error.js'
export type { Fetch } from './exchange.js'

const CONTRACT = { ...authContractV1, ...accountContractV1, ...protocolContractV1 }

/**
 * Creates a client with the interface of `@netscript/auth-client` that validates every response
 * against the contract. Unknown fields are dropped; a response that the contract does not declare
 * throws `UNEXPECTED_RESPONSE`.
 *
 * @example
 * ```ts
 * import { createAuthClient } from '@netscript/auth-client/validated'
 *
 * const auth = createAuthClient({ baseUrl: 'https://auth.example.com', fetch: fetchWithCookies })
 * ```
 */
export function createAuthClient(options: AuthClientOptions = {}): AuthClient {
  return clientWith(options, (key, body) => CONTRACT[key].responses[200].safeParse(body).data)
}
