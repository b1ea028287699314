import type { RequestParts } from '@netscript/plugin-auth-core'

/** A request as an adapter hands it to the engine. */
export interface EngineRequest {
  /** In capitals: `GET`. */
  readonly method: string
  /** Path and query in origin form (RFC 9112 section 3.2.1), undecoded. */
  readonly target: string
  readonly headers: RequestParts['headers']
  /** Whether a body was announced; HTTP/2 clients and applications that parsed it need not. */
  readonly hasBody: boolean
  /** IP address of the direct peer; `undefined` when the host does not tell. */
  readonly peerAddress: string | undefined
  /**
   * The body. Called at most once, and only for a route that takes one.
   * @throws BodyTooLargeError past `limit` bytes, before the rest is read.
   * @throws BodyConsumedError when something has read the body and left nothing usable.
   */
  readBody(limit: number): Promise<ReceivedBody>
}

/** The bytes of a body, or the value that an application around the router has made of them. */
export type ReceivedBody = { readonly bytes: Uint8Array } | { readonly parsed: unknown }

/** Thrown by {@link EngineRequest.readBody}. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

/** A header field; a name may repeat. */
export type HeaderField = readonly [name: string, value: string]

/** A response for an adapter to send as it is. */
export interface EngineResponse {
  readonly status: number
  readonly headers: readonly HeaderField[]
  /** Empty for none. HEAD gets the headers alone. */
  readonly body: string
}
