import { BodyTooLargeError, type Engine } from '@netscript/plugin-auth/internal'

/** `fetch` without a network. Relative URLs are resolved against the origin of the test. */
export type TestFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * The engine as a `fetch`. It reads the request without the global `Request`, since jsdom and happy-dom
 * have their own, which drop cookies or reject foreign signals.
 */
export function createEngineFetch(engine: Engine, origin: string): TestFetch {
  return async (input, init = {}) => {
    const request = isRequest(input) ? input : undefined
    const url = new URL(isRequest(input) ? input.url : input, origin)
    const headers = headersOf(init.headers ?? request?.headers)
    const method = (init.method ?? request?.method ?? 'GET').toUpperCase()
    const body = init.body ?? request?.body
    init.signal?.throwIfAborted()
    // Blob and FormData become bytes, and name their media type.
    const encoded = body === undefined || body === null ? undefined : await encode(init, request)
    if (encoded?.type && !('content-type' in headers)) headers['content-type'] = encoded.type
    const exchange = await engine.answer({
      method,
      target: url.pathname + url.search,
      headers,
      hasBody: encoded !== undefined,
      peerAddress: undefined,
      readBody: async (limit) => {
        const bytes = encoded?.bytes ?? new Uint8Array()
        if (bytes.byteLength > limit) throw new BodyTooLargeError()
        return { bytes }
      },
    })
    const { status, headers: fields, body: text } = exchange.response
    exchange.settle(status)
    const hasBody = text !== '' && method !== 'HEAD'
    return new Response(hasBody ? text : null, {
      status,
      headers: fields.map(([name, value]): [string, string] => [name, value]),
    })
  }
}

export const isRequest = (input: string | URL | Request): input is Request =>
  typeof input === 'object' && 'headers' in input

/** Headers by lower-case name. Read without `Headers`: that of jsdom deletes others than it is told. */
export function headersOf(given: HeadersInit | undefined): Record<string, string> {
  const fields: Iterable<readonly string[]> =
    given === undefined ? [] : Symbol.iterator in given ? given : Object.entries(given)
  return Object.fromEntries(
    [...fields].map(([name = '', value = '']) => [name.toLowerCase(), value]),
  )
}

async function encode(
  { body }: RequestInit,
  request: Request | undefined,
): Promise<{ bytes: Uint8Array; type: string | null }> {
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: null }
  const message = body === undefined || body === null ? request?.clone() : new Response(body)
  const bytes = Buffer.from((await message?.arrayBuffer()) ?? new ArrayBuffer(0))
  return { bytes, type: message?.headers.get('content-type') ?? null }
}
