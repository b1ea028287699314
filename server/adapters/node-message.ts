import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { announcesBody, originForm, pathOf } from '@netscript/plugin-auth-core/internal'
import type { Engine } from '../engine/engine.js'
import type { Exchange } from '../engine/exchange.js'
import type { EngineRequest } from '../engine/message.js'
import { receiveBody } from './received-body.js'

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
