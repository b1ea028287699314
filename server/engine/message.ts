import type { RequestParts } from '@netscript/plugin-auth-core'
import Negotiator from 'negotiator'

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

/** A handler's result as plain data, which any HTTP adapter can send. */
export interface Reply<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  /** `Location`, for a redirect. */
  readonly location?: string
  /** `Set-Cookie` values, sent one header each and byte for byte. */
  readonly setCookies: readonly string[]
  /** Further headers. @default none */
  readonly headers?: readonly HeaderField[]
  /** `Cache-Control` of a response that is the same for every caller. @default no-store */
  readonly cache?: string
}

/** A 200 with a JSON body. */
export function ok<Body>(body: Body, setCookies: readonly string[] = []): Reply<200, Body> {
  return { status: 200, body, setCookies }
}

/** A 303: the browser follows it with GET, regardless of the method (RFC 9700 section 4.12). */
export function seeOther(
  location: string,
  setCookies: readonly string[] = [],
): Reply<303, undefined> {
  return { status: 303, body: undefined, location, setCookies }
}

/** A parameter without a value is absent (RFC 6749 section 3.1). */
export const withoutEmpty = (query: URLSearchParams): URLSearchParams =>
  [...query.values()].includes('')
    ? new URLSearchParams([...query].filter(([, value]) => value !== ''))
    : query

/** A query as an object: a repeated parameter becomes a list, which every schema rejects. */
export function queryOf(searchParams: URLSearchParams): Record<string, string | string[]> {
  const query = new Map<string, string | string[]>()
  for (const [name, value] of searchParams) {
    const earlier = query.get(name)
    if (Array.isArray(earlier)) earlier.push(value)
    else query.set(name, earlier === undefined ? value : [earlier, value])
  }
  return Object.fromEntries(query)
}

/** The media type of `available` that an Accept header prefers; the first when it has no preference. */
export function preferredType<T extends string>(
  accept: string | undefined,
  available: readonly [T, ...T[]],
): T | undefined {
  if (accept === undefined) return available[0]
  return new Negotiator({ headers: { accept } }).mediaType([...available]) as T | undefined
}

/** Whether a browser wants a page rather than a problem document. */
export const prefersPage = ({ headers: { accept } }: Pick<EngineRequest, 'headers'>): boolean =>
  preferredType(accept as string | undefined, ['application/json', 'text/html']) === 'text/html'
