import type { RequestParts } from '@netscript/plugin-auth-core'

/** A request as an adapter passes it to the engine. */
export interface EngineRequest {
  /** In upper case, such as `GET`. */
  readonly method: string
  /** Path and query in origin form (RFC 9112 section 3.2.1), undecoded. */
  readonly target: string
  readonly headers: RequestParts['headers']
  /** Whether a body was announced. HTTP/2 clients, and applications that parsed it, need not announce one. */
  readonly hasBody: boolean
  /** IP address of the direct peer; `undefined` when the host does not provide it. */
  readonly peerAddress: string | undefined
  /**
   * Reads the body. Called at most once, and only for a route that accepts one.
   * @throws BodyTooLargeError past `limit` bytes, before the rest is read.
   * @throws BodyConsumedError when something has read the body and left nothing usable.
   */
  readBody(limit: number): Promise<ReceivedBody>
}

/** The bytes of a body, or the value that the surrounding application parsed from them. */
export type ReceivedBody = { readonly bytes: Uint8Array } | { readonly parsed: unknown }

/** Thrown by {@link EngineRequest.readBody}. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

/** A header field; a name may repeat. */
export type HeaderField = readonly [name: string, value: string]

/** A response for an adapter to send unchanged. */
export interface EngineResponse {
  readonly status: number
  readonly headers: readonly HeaderField[]
  /** Empty when there is no body. HEAD receives the headers only. */
  readonly body: string
}
