import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { AuthError } from '../../backends/errors.js'
import { decodeForm } from '../../contract/form.js'

const LIMIT = '16kb'
const LIMIT_BYTES = 16 * 1024
const FORM = 'application/x-www-form-urlencoded'

/** Whether the request is a form post. */
export const isForm = (req: { headers: { 'content-type'?: string | undefined } }): boolean =>
  req.headers['content-type']?.toLowerCase().split(';', 1)[0]?.trim() === FORM

type ParsedForm = Readonly<Record<string, string | readonly string[]>>

/** A form that the app we are mounted in has parsed already, as it was sent. */
function encodeForm(form: ParsedForm): string {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    [value].flat().map((item): [string, string] => [name, String(item)]),
  )
  return new URLSearchParams(pairs).toString()
}

const decode: RequestHandler = (req, _res, next) => {
  const body: unknown = req.body
  if (isForm(req) && body !== undefined) {
    req.body = decodeForm(typeof body === 'string' ? body : encodeForm(body as ParsedForm))
  } else if (body === undefined) {
    const length = Number(req.headers['content-length'] ?? 0)
    if (length > 0 || req.headers['transfer-encoding'] !== undefined) {
      return next(new AuthError('UNSUPPORTED_MEDIA_TYPE', `Send application/json or ${FORM}.`))
    }
    req.body = {}
  }
  next()
}

/** body-parser refuses only when it has read to the end: too late for a gigabyte. */
const refuseAnnounced: RequestHandler = (req, _res, next) => {
  const isTooLarge = Number(req.headers['content-length'] ?? 0) > LIMIT_BYTES
  next(isTooLarge ? new AuthError('PAYLOAD_TOO_LARGE', `Send at most ${LIMIT}.`) : undefined)
}

/** body-parser's errors by their status; its texts stay inside. */
const translate: ErrorRequestHandler = (error: { status?: number }, _req, _res, next) => {
  if (error instanceof AuthError) return next(error)
  switch (error.status) {
    case 413:
      return next(new AuthError('PAYLOAD_TOO_LARGE', `Send at most ${LIMIT}.`, { cause: error }))
    case 415:
      return next(
        new AuthError('UNSUPPORTED_MEDIA_TYPE', 'Send UTF-8 without an unusual encoding.', {
          cause: error,
        }),
      )
    case 400:
      return next(
        new AuthError('MALFORMED_REQUEST', 'The body could not be parsed. Send valid JSON.', {
          cause: error,
        }),
      )
    default:
      return next(error)
  }
}

const bodies = express
  .Router()
  .use(
    refuseAnnounced,
    express.json({ limit: LIMIT, type: 'application/json' }),
    express.text({ limit: LIMIT, type: FORM }),
    decode,
    translate,
  )

/**
 * Reads JSON and form bodies into `req.body` in the shape of the contract; no body is `{}`. Only a
 * POST has one: what comes with another method is not looked at.
 */
export const readBody: RequestHandler = (req, res, next) =>
  req.method === 'POST' ? bodies(req, res, next) : next()
