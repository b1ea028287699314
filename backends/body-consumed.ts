/** The host application consumed the request body before the API. Reported in the log only. */
export class BodyConsumedError extends Error {
  override readonly name = 'BodyConsumedError'
  constructor() {
    super(
      'The application around the API has read the request body and left nothing usable. Mount the API before body parsers, or let them leave a Buffer, a string or the parsed object in req.body.',
    )
  }
}

/** Checks the tag, because objects of another realm (as in Jest) have another prototype. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(value) === '[object Object]'

/**
 * Restores the fields of a form from the result of a body parser, which turns repeated fields into
 * lists and bracketed names into objects.
 */
export function formFields(parsed: object): [string, string][] {
  return Object.entries(parsed).flatMap(([name, value]) => fieldsOf(name, value))
}

function fieldsOf(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => fieldsOf(name, item))
  if (!isPlainObject(value)) return [[name, String(value)]]
  return Object.entries(value).flatMap(([key, item]) => fieldsOf(`${name}[${key}]`, item))
}

/** A form parser that ignores the content type turns a JSON body into one field name. */
export const isMisreadJson = (parsed: object): boolean =>
  Object.keys(parsed).some((name) => name.trimStart().startsWith('{'))

/** Whether the header fields announce a body (RFC 9112 section 6). */
export const announcesBody = (headers: {
  readonly 'content-length'?: string | undefined
  readonly 'transfer-encoding'?: string | undefined
}): boolean =>
  Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
