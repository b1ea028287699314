import { decodeForm } from '@netscript/auth-contract/internal'
import { AuthError } from '@netscript/plugin-auth-core'
import {
  BODY_LIMIT,
  BodyConsumedError,
  formFields,
  isMisreadJson,
  isPlainObject,
} from '@netscript/plugin-auth-core/internal'
import { BodyTooLargeError, type EngineRequest, type ReceivedBody } from './message.js'

/** The media types that a route accepts. */
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

/** Whether a Content-Type header announces a form. */
export const isForm = (contentType: string | undefined): boolean =>
  mediaType(contentType) === FORM_TYPE

/**
 * Reads a request's body in the shape of the contract; no body is `{}`.
 * @throws AuthError `PAYLOAD_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_REQUEST`
 */
export async function readBody(request: EngineRequest, types: BodyTypes): Promise<unknown> {
  if (Number(header(request, 'content-length') ?? 0) > BODY_LIMIT) throw tooLarge()
  const contentType = header(request, 'content-type')
  if (contentType === undefined && !request.hasBody && types !== 'form') {
    // A body need not be announced over HTTP/2 or by a host that passes a parsed body.
    if (isNothing(await receive(request))) return {}
    throw unsupported(types)
  }
  const type = mediaType(contentType)
  if (!isAccepted(type, types)) throw unsupported(types)
  refuseEncodings(request, contentType)
  const received = await receive(request)
  return type === FORM_TYPE ? formOf(received) : jsonOf(received)
}

async function receive(request: EngineRequest): Promise<ReceivedBody> {
  try {
    return await request.readBody(BODY_LIMIT)
  } catch (cause) {
    if (cause instanceof BodyTooLargeError) throw tooLarge()
    if (cause instanceof BodyConsumedError) throw cause
    throw new AuthError('MALFORMED_REQUEST', 'The body could not be read to its end.', { cause })
  }
}

const isNothing = (received: ReceivedBody): boolean =>
  'bytes' in received
    ? received.bytes.byteLength === 0
    : isPlainObject(received.parsed) && Object.keys(received.parsed).length === 0

function isAccepted(type: string, types: BodyTypes): boolean {
  if (type === JSON_TYPE) return types !== 'form'
  return type === FORM_TYPE && types !== 'json'
}

/** Bodies are small, so compression would only enable decompression bombs. */
function refuseEncodings(request: EngineRequest, contentType: string | undefined): void {
  const encoding = header(request, 'content-encoding')?.trim().toLowerCase() ?? 'identity'
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType ?? '')?.[1]?.toLowerCase()
  if (encoding !== 'identity' || !['utf-8', 'utf8', undefined].includes(charset)) {
    throw new AuthError('UNSUPPORTED_MEDIA_TYPE', 'Send UTF-8 without a content encoding.')
  }
}

function jsonOf(received: ReceivedBody): unknown {
  if ('parsed' in received) return jsonParsedAs(received.parsed)
  const text = utf8(received.bytes)
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

function jsonParsedAs(parsed: unknown): object {
  const value = objectOf(parsed)
  if (!isPlainObject(value)) throw new BodyConsumedError()
  if (isMisreadJson(value)) throw malformed(new BodyConsumedError())
  return value
}

function formOf(received: ReceivedBody): unknown {
  if ('bytes' in received) return decodeForm(utf8(received.bytes, 'Send a form in UTF-8.'))
  const { parsed } = received
  if (tagOf(parsed) === '[object URLSearchParams]') return decodeForm(String(parsed))
  if (!isPlainObject(parsed)) throw new BodyConsumedError()
  return decodeForm(new URLSearchParams(formFields(parsed)).toString())
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value)

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function utf8(bytes: Uint8Array, fix?: string): string {
  try {
    return UTF8.decode(bytes)
  } catch (cause) {
    throw malformed(cause, fix)
  }
}

const header = ({ headers }: EngineRequest, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

const unsupported = (types: BodyTypes): AuthError =>
  new AuthError('UNSUPPORTED_MEDIA_TYPE', EXPECTED[types])

const tooLarge = (): AuthError =>
  new AuthError('PAYLOAD_TOO_LARGE', `Send at most ${BODY_LIMIT / 1024} kB.`)

const malformed = (cause: unknown, fix = 'Send valid JSON.'): AuthError =>
  new AuthError('MALFORMED_REQUEST', `The body could not be parsed. ${fix}`, { cause })
