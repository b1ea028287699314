import { BodyConsumedError } from '@netscript/plugin-auth-core/internal'
import { BodyTooLargeError, type EngineRequest, type ReceivedBody } from '../engine/message.js'

/** Converts a Fetch request to the engine's form. */
export function toEngineRequest(
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
