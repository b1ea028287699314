import { createServer, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fastify from 'fastify'
import { createAuthApp } from '../../adapters/express.js'
import { createAuthPlugin } from '../../adapters/fastify.js'
import { type AuthHandler, createAuthHandler } from '../../adapters/fetch.js'
import { createAuthListener } from '../../adapters/node.js'
import type { AuthApiOptions } from '../../engine/engine.js'
import { type Adapter, type Answer, expand, type VectorRequest } from './vector.js'

/** A request whose placeholders are filled in. */
interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer | undefined
}

/** The address that all requests come from. */
const PEER = '127.0.0.1'

/** Every adapter, over the network where it has a listener. */
export interface AdaptersUnderTest {
  /** An API that lives as long as the returned function is called, and no other one is opened. */
  open(adapter: Adapter, options: AuthApiOptions): (request: RawRequest) => Promise<Answer>
  close(): Promise<void>
}

/** Starts the server that the listeners take turns on. */
export async function startAdapters(): Promise<AdaptersUnderTest> {
  let listener: RequestListener
  const server = createServer((req, res) => listener(req, res))
  await new Promise<void>((done) => server.listen(0, PEER, done))
  const { port } = server.address() as AddressInfo
  return {
    open(adapter, options) {
      if (adapter === 'fetch') {
        const handler = createAuthHandler({ ...options, passesClientAddress: true })
        return (raw) => sendToHandler(handler, options.origin, raw)
      }
      listener = LISTENERS[adapter](options)
      return (raw) => sendTo(port, raw)
    },
    close: () => new Promise((done) => server.close(() => done())),
  }
}

const LISTENERS: Readonly<
  Record<Exclude<Adapter, 'fetch'>, (options: AuthApiOptions) => RequestListener>
> = {
  node: createAuthListener,
  express: createAuthApp,
  fastify(options) {
    const app = fastify()
    app.register(createAuthPlugin(options))
    return (req, res) => void app.ready(() => app.routing(req, res))
  },
}

/** A request of a vector as it is sent. */
export function toRaw(
  { method, target, headers = {}, body, bytes }: VectorRequest,
  values: Readonly<Record<string, string>>,
): RawRequest {
  const content =
    bytes === undefined
      ? body === undefined
        ? undefined
        : Buffer.from(expand(body, values))
      : Buffer.from(bytes, 'base64')
  const fields = Object.entries(headers).flatMap(([name, given]) =>
    [given].flat().map((value) => [name, expand(value, values)] as const),
  )
  const hasLength = 'content-length' in headers || 'transfer-encoding' in headers
  if (!hasLength && (content !== undefined || method === 'POST')) {
    fields.push(['content-length', String(content?.byteLength ?? 0)])
  }
  return { method, target: expand(target, values), headers: fields, body: content }
}

async function sendTo(
  port: number,
  { method, target, headers, body }: RawRequest,
): Promise<Answer> {
  const fields = headers.some(([name]) => name === 'host')
    ? headers
    : [['host', 'auth.example'] as const, ...headers]
  return new Promise((resolve, reject) => {
    request({ host: PEER, port, method, path: target, headers: fields.flat(), agent: false })
      .on('response', (response) => {
        const { statusCode = 0, rawHeaders } = response
        const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, at): [string, string] => [
          rawHeaders[2 * at] ?? '',
          rawHeaders[2 * at + 1] ?? '',
        ])
        buffer(response).then(
          (bytes) => resolve(answerOf(method, statusCode, pairs, bytes)),
          reject,
        )
      })
      .on('error', reject)
      .end(body)
  })
}

async function sendToHandler(
  handler: AuthHandler,
  origin: string,
  { method, target, headers, body }: RawRequest,
): Promise<Answer> {
  const init = { method, headers: headers.map(([...pair]) => pair), body: body ?? null }
  const response = await handler(new Request(origin + target, init as RequestInit), {
    clientAddress: PEER,
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  return answerOf(method, response.status, [...response.headers], bytes)
}

/** What servers add and hosts are free to change. */
const NOT_COMPARED = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

function answerOf(
  method: string,
  status: number,
  pairs: readonly (readonly [string, string])[],
  bytes: Buffer,
): Answer {
  const headers: Answer['headers'] = {}
  const named = pairs.map(([name, value]) => [name.toLowerCase(), value] as const)
  for (const [name, given] of [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    if (NOT_COMPARED.has(name)) continue
    const value = withoutRandomSignature(given)
    const before = headers[name]
    if (name === 'set-cookie') headers[name] = [...(before ?? []), value]
    else headers[name] = before === undefined ? value : `${String(before)}, ${value}`
  }
  const length = headers['content-length']
  if (method !== 'HEAD' && status !== 204 && length !== String(bytes.byteLength)) {
    throw new Error(`Content-Length is ${String(length)}, the body has ${bytes.byteLength} bytes.`)
  }
  const body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  return { status, headers, body: withoutRandomSignature(body) }
}

/** ECDSA signs with a random number that nothing can inject. */
const withoutRandomSignature = (text: string): string =>
  text.replace(/(\beyJ[\w-]+\.[\w-]+\.)[\w-]{86}(?="|$)/, '$1SIGNATURE')
