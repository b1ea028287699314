import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { BodyConsumedError } from '@netscript/plugin-auth-core/internal'
import { type AuthApiOptions, createEngine } from '../engine/engine.js'
import { BodyTooLargeError, type EngineRequest, type ReceivedBody } from '../engine/message.js'

/** Options of {@link createAuthHandler}. */
export interface AuthHandlerOptions extends AuthApiOptions {
  /**
   * Promises that every call passes `info.clientAddress`. A `Request` does not carry the client's
   * address, which the rate limit needs.
   * @default false
   */
  passesClientAddress?: boolean
  /**
   * Share one rate limit between all clients; a single client can then exhaust it for all others.
   * @default false
   */
  insecureSharedRateLimit?: boolean
}

/**
 * Handles requests of the API; any other request gets 404. `info.clientAddress` is the IP address of the
 * direct peer, which a `Request` does not carry.
 */
export type AuthHandler = (
  request: Request,
  info?: { readonly clientAddress?: string | undefined },
) => Promise<Response>

/**
 * Creates the authentication API as a fetch handler for Bun, Deno, Hono, Next.js or SvelteKit.
 *
 * @param options A function is called with the first request, and again after it has failed: a build that
 * only loads the module needs no configuration and no database.
 * @throws AuthConfigurationError when the rate limit cannot tell clients apart; with a function, the
 * handler rejects instead.
 *
 * @example
 * ```ts
 * const handler = createAuthHandler({ backend, origin: 'https://auth.example.com', trustProxy: 1 })
 * const response = await handler(request)
 * ```
 */
export function createAuthHandler(
  options: AuthHandlerOptions | (() => AuthHandlerOptions | Promise<AuthHandlerOptions>),
): AuthHandler {
  if (typeof options !== 'function') return handlerOf(options)
  let creating: Promise<AuthHandler> | undefined
  const create = async (): Promise<AuthHandler> => handlerOf(await options())
  return async (request, info) => {
    // Next.js with cacheComponents calls GET handlers in a build, until they read the request.
    void request.url
    const created = (creating ??= create())
    created.catch(() => {
      if (creating === created) creating = undefined
    })
    const handler = await created
    return handler(request, info)
  }
}

function handlerOf(options: AuthHandlerOptions): AuthHandler {
  const { passesClientAddress = false, insecureSharedRateLimit = false, ...api } = options
  const tellsClientsApart = passesClientAddress || (api.trustProxy ?? false) !== false
  if (!tellsClientsApart && !insecureSharedRateLimit && api.rateLimit !== false) {
    throw new AuthConfigurationError(
      'A Request does not tell the address of its client. Pass info.clientAddress with each call and set passesClientAddress, or set trustProxy (NETSCRIPT_AUTH_TRUST_PROXY for authFromEnv) to the proxies that send X-Forwarded-For.',
    )
  }
  const engine = createEngine(api)
  return async (request, info) => {
    const exchange = await engine.answer(toEngineRequest(request, info))
    const { status, headers, body } = exchange.response
    exchange.settle(status)
    const hasBody = body !== '' && request.method !== 'HEAD'
    return new Response(hasBody ? body : null, { status, headers: headers.map(([...it]) => it) })
  }
}

/** Converts a Fetch request to the engine's form. */
function toEngineRequest(
  request: Request,
  info: { readonly clientAddress?: unknown } | undefined,
): EngineRequest {
  const { host, pathname, search } = new URL(request.url)
  // Hosts pass a second argument of their own, such as the parameters of a route.
  const clientAddress = info?.clientAddress
  return {
    method: request.method,
    target: pathname + search,
    // Not every host repeats the host of the URL as a header.
    headers: { host, ...Object.fromEntries(request.headers) },
    hasBody: request.body !== null,
    peerAddress: typeof clientAddress === 'string' ? clientAddress : undefined,
    readBody: async (limit) => {
      if (request.bodyUsed) throw new BodyConsumedError()
      return readStream(request.body, limit)
    },
  }
}

async function readStream(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<ReceivedBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.byteLength
    if (size > limit) {
      await reader?.cancel()
      throw new BodyTooLargeError()
    }
    chunks.push(read.value)
  }
  return { bytes: Buffer.concat(chunks) }
}
