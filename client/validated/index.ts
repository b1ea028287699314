/**
 * A client that validates every response against the contract. It has the methods and the errors of
 * `@netscript/auth-client`, and depends on zod and ts-rest.
 *
 * @module
 */
import { type ApiFetcher, initClient } from '@ts-rest/core'
import { accountContractV1, authContractV1, protocolContractV1 } from '@netscript/auth-contract'
import type { AuthClient, AuthClientOptions, CallOptions } from '../auth-api.js'
import { exchange, pathSegment, type Transport, unexpected } from '../exchange.js'
import { withNavigation } from '../navigation.js'

export type * from '../auth-api.js'
export * from '../error.js'
export type { Fetch } from '../exchange.js'

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
  const api = initClient(
    { ...authContractV1, ...accountContractV1, ...protocolContractV1 },
    {
      baseUrl: (options.baseUrl ?? '').replace(/\/+$/, ''),
      baseHeaders: { ...options.headers },
      api: validating(options),
      throwOnUnknownStatus: true,
    },
  )
  return withNavigation(
    {
      me: async (call) => success(await api.me(toArgs(call))),
      session: async (call) => success(await api.session(toArgs(call))),
      signin: async (body = {}, call) => success(await api.signin({ body, ...toArgs(call) })),
      signout: async (body = {}, call) => success(await api.signout({ body, ...toArgs(call) })),
      callback: async (query, call) => success(await api.callback({ query, ...toArgs(call) })),
      providerCallback: async (provider, query, call) => {
        const params = { provider: pathSegment(provider) }
        return success(await api.providerCallback({ params, query, ...toArgs(call) }))
      },
      describe: async (call) => success(await api.describe(toArgs(call))),
      sessions: async ({ limit, cursor, ...call } = {}) =>
        success(await api.sessions({ query: { limit, cursor }, ...toArgs(call) })),
      // ts-rest does not encode path parameters.
      revokeSession: async (id, call) => {
        const params = { id: pathSegment(id) }
        return success(await api.revokeSession({ params, ...toArgs(call) }))
      },
      revokeOtherSessions: async (call) => success(await api.revokeOtherSessions(toArgs(call))),
      accounts: async (call) => success(await api.accounts(toArgs(call))),
      exportUser: async (call) => success(await api.exportUser(toArgs(call))),
      deleteUser: async (call) => success(await api.deleteUser(toArgs(call))),
      unlinkAccount: async (id, call) => {
        const params = { id: pathSegment(id) }
        return success(await api.unlinkAccount({ params, ...toArgs(call) }))
      },
      token: async (body, call) => success(await api.token({ body, ...toArgs(call) })),
    },
    options,
  )
}

const toArgs = ({ signal }: CallOptions = {}): { fetchOptions?: { signal: AbortSignal } } =>
  signal ? { fetchOptions: { signal } } : {}

/** Narrows to status 200: the transport throws for every other status. */
function success<R extends { status: number; body: unknown }>(
  response: R,
): Extract<R, { status: 200 }>['body'] {
  return response.body
}

interface StandardSchema {
  '~standard': {
    validate(value: unknown): { value?: unknown; issues?: readonly unknown[] | undefined }
  }
}

/** The fetcher of ts-rest: sends through {@link exchange} and validates the response. */
function validating(transport: Transport): ApiFetcher {
  return async ({ route, path, method, headers, body: sent, fetchOptions }) => {
    const { response, body } = await exchange(transport, {
      url: path,
      method,
      headers,
      body: typeof sent === 'string' ? sent : undefined,
      signal: fetchOptions?.signal ?? undefined,
    })
    const schema: unknown = route.responses[response.status]
    const result = isStandardSchema(schema) ? schema['~standard'].validate(body) : undefined
    if (!result || result.issues) {
      throw unexpected(response, 'The response does not match the contract.')
    }
    return { status: response.status, body: result.value, headers: response.headers }
  }
}

const isStandardSchema = (schema: unknown): schema is StandardSchema =>
  typeof schema === 'object' && schema !== null && '~standard' in schema
