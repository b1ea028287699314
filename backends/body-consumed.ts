import type { IncomingHttpHeaders } from 'node:http'

/** A mistake of the application around the API: the operator finds it in the log. */
export class BodyConsumedError extends Error {
  override readonly name = 'BodyConsumedError'
  constructor() {
    super(
      'The application around the API has read the request body and left nothing usable. Mount the API before body parsers, or let them leave a Buffer, a string or the parsed object in req.body.',
    )
  }
}

/** By its tag: an object of another realm, as in Jest, is plain as well. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]'

/**
 * The fields of a form that a parser has read: repeated ones were folded into lists, those with
 * brackets into objects.
 */
export function formFields(parsed: object): [string, string][] {
  return Object.entries(parsed).flatMap(([name, value]) => fieldsOf(name, value))
}

function fieldsOf(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(name, item))
  if (!isPlainObject(value)) return [[name, String(value)]]
  return Object.entries(value).flatMap(([key, item]) => fieldsOf(`${name}[${key}]`, item))
}

/** A form parser for any content type takes the whole JSON text for the name of a field. */
export const isMisreadJson = (parsed: object): boolean =>
  Object.keys(parsed).some((name) => name.trimStart().startsWith('{'))

/** Whether the header fields announce a body (RFC 9112 section 6). */
export const announcesBody = (headers: IncomingHttpHeaders): boolean =>
  Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
