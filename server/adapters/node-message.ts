import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import {
  announcesBody,
  BodyConsumedError,
  isPlainObject,
  originForm,
  pathOf,
} from '@netscript/plugin-auth-core/internal'
import type { Engine } from '../engine/engine.js'
import type { Exchange } from '../engine/exchange.js'
import { BodyTooLargeError, type EngineRequest, type ReceivedBody } from '../engine/message.js'

/** Adapts the engine to `node:http`. */
export function listenerOf(engine: Engine, otherwise?: RequestListener): RequestListener {
  return (req, res) => {
    if (otherwise && !engine.serves(pathOf(req.url ?? '/'))) return otherwise(req, res)
    void engine.answer(toEngineRequest(req)).then((exchange) => send(res, exchange))
  }
}

/** Converts a Node request to the engine's form. */
export function toEngineRequest(req: IncomingMessage): EngineRequest {
  return {
    method: req.method ?? 'GET',
    target: originForm(req.url ?? '/'),
    headers: req.headers,
    hasBody: announcesBody(req.headers),
    peerAddress: req.socket.remoteAddress,
    readBody: (limit) => receiveBody(req, limit),
  }
}

/** Sends the response of an exchange. */
export function send(res: ServerResponse, exchange: Exchange): void {
  const { status, headers, body } = exchange.response
  res.once('close', () => exchange.settle(res.writableFinished ? status : undefined))
  // Close the connection instead of reading the rest of a rejected body.
  if (status === 413) res.shouldKeepAlive = false
  const fields: string[] = []
  for (const [name, value] of headers) fields.push(name, value)
  res.writeHead(status, fields)
  res.end(body)
}

/** A Node request whose body the application may already have parsed, for example with body-parser. */
type Incoming = IncomingMessage & { readonly body?: unknown }

/**
 * Reads the body of a Node request: `req.body` when the surrounding application parsed it, else the
 * stream.
 *
 * @throws BodyTooLargeError, BodyConsumedError
 */
async function receiveBody(req: Incoming, limit: number): Promise<ReceivedBody> {
  const { body } = req
  // Express 4 sets an empty object when it parsed nothing.
  const isUnset = body === undefined || (isPlainObject(body) && Object.keys(body).length === 0)
  if (isUnset && !req.readableEnded) return readStream(req, limit)
  if (typeof body === 'string') return bytesOf(Buffer.from(body), limit)
  if (ArrayBuffer.isView(body)) {
    return bytesOf(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), limit)
  }
  if (body !== undefined) return { parsed: body }
  if (announcesBody(req.headers)) throw new BodyConsumedError()
  return { bytes: new Uint8Array() }
}

function bytesOf(bytes: Uint8Array, limit: number): ReceivedBody {
  if (bytes.byteLength > limit) throw new BodyTooLargeError()
  return { bytes }
}

function readStream(req: IncomingMessage, limit: number): Promise<ReceivedBody> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('The client closed the connection.'))
    if (req.destroyed) return gone()
    const chunks: Buffer[] = []
    let size = 0
    req
      .on('data', (chunk: Buffer) => {
        size += chunk.byteLength
        if (size <= limit) chunks.push(chunk)
        else reject(new BodyTooLargeError())
      })
      .on('end', () => resolve({ bytes: Buffer.concat(chunks) }))
      .on('error', reject)
      .on('close', gone)
  })
}
