import { AuthError } from '../../backends/errors.js'
import { decodeForm } from '../../contract/form.js'
import { BodyTooLargeError, type EngineRequest, type ReceivedBody } from './message.js'

/** Maximum size of a request body in bytes. */
export const BODY_LIMIT = 16 * 1024

/** The media types that a route takes. */
export type BodyTypes = 'json' | 'form' | 'json-or-form'

export const JSON_TYPE = 'application/json'
export const FORM_TYPE = 'application/x-www-form-urlencoded'

const EXPECTED: Readonly<Record<BodyTypes, string>> = {
  json: `Send ${JSON_TYPE}.`,
  form: `Send ${FORM_TYPE}.`,
  'json-or-form': `Send ${JSON_TYPE} or ${FORM_TYPE}.`,
}

/** The media type of a Content-Type header in lower case, without parameters. */
export function mediaType(contentType: string | undefined): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** Whether the header fields announce a body (RFC 9112 section 6). */
export const announcesBody = (headers: EngineRequest['headers']): boolean =>
  Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined

/** Whether a Content-Type header announces a form. */
export const isForm = (contentType: string | undefined): boolean =>
  mediaType(contentType) === FORM_TYPE

/**
 * The body of a request in the shape of the contract; no body is `{}`.
 * @throws AuthError `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_REQUEST`
 */
export async function readBody(request: EngineRequest, types: BodyTypes): Promise<unknown> {
  const announced = header(request, 'content-length')
  if (Number(announced ?? 0) > BODY_LIMIT) throw tooLarge()
  const isEmpty =
    (announced === undefined || Number(announced) === 0) &&
    header(request, 'transfer-encoding') === undefined
  const contentType = header(request, 'content-type')
  if (isEmpty && contentType === undefined && types !== 'form') return {}
  const type = mediaType(contentType)
  if (!isAccepted(type, types)) throw new AuthError('UNSUPPORTED_MEDIA_TYPE', EXPECTED[types])
  refuseEncodings(request, contentType)
  const received = await request.readBody(BODY_LIMIT).catch((cause: unknown) => {
    if (cause instanceof BodyTooLargeError) throw tooLarge()
    throw new AuthError('MALFORMED_REQUEST', 'The body could not be read to its end.', { cause })
  })
  return type === FORM_TYPE ? formOf(received) : jsonOf(received)
}

function isAccepted(type: string, types: BodyTypes): boolean {
  if (type === JSON_TYPE) return types !== 'form'
  return type === FORM_TYPE && types !== 'json'
}

/** Bodies are small, so compression would only add ways to make a large one of them. */
function refuseEncodings(request: EngineRequest, contentType: string | undefined): void {
  const encoding = header(request, 'content-encoding')?.trim().toLowerCase() ?? 'identity'
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1]?.toLowerCase()
  if (encoding !== 'identity' || !['utf-8', 'utf8', undefined].includes(charset)) {
    throw new AuthError('UNSUPPORTED_MEDIA_TYPE', 'Send UTF-8 without a content encoding.')
  }
}

function jsonOf(received: ReceivedBody): unknown {
  const text = 'bytes' in received ? utf8(received.bytes) : received.parsed
  if (typeof text !== 'string') return objectOf(text)
  if (text === '') return {}
  try {
    return objectOf(JSON.parse(text))
  } catch (cause) {
    throw malformed(cause)
  }
}

function objectOf(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw malformed(new TypeError('The body is not an object.'))
}

type ParsedForm = Readonly<Record<string, string | readonly string[]>>

function formOf(received: ReceivedBody): unknown {
  if ('bytes' in received) return decodeForm(utf8(received.bytes))
  if (typeof received.parsed === 'string') return decodeForm(received.parsed)
  // Re-encoded as it was sent: the application around us folded repeated fields into lists.
  const pairs = Object.entries(objectOf(received.parsed) as ParsedForm).flatMap(([name, value]) =>
    [value].flat().map((item): [string, string] => [name, String(item)]),
  )
  return decodeForm(new URLSearchParams(pairs).toString())
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw malformed(cause)
  }
}

const header = ({ headers }: EngineRequest, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

const tooLarge = (): AuthError =>
  new AuthError('PAYLOAD_TOO_LARGE', `Send at most ${BODY_LIMIT / 1024} kB.`)

const malformed = (cause: unknown): AuthError =>
  new AuthError('MALFORMED_REQUEST', 'The body could not be parsed. Send valid JSON.', { cause })
