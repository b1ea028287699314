import type { HeaderField } from './engine/message.js'

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
