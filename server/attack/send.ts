import http from 'node:http'
import https from 'node:https'

/** A request, sent unchanged except for Host, Content-Length and Connection. */
export interface AttackRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

/** A complete response. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly setCookies: readonly string[]
  readonly text: string
  /** The body as JSON; throws when it is not. */
  json(): unknown
}

/** Response timeout in milliseconds. */
const HUNG_MS = 20_000

/** Sends requests over keep-alive connections. */
export interface Sender {
  readonly send: (path: string, request?: AttackRequest) => Promise<Answer>
  readonly close: () => void
}

/** Creates a {@link Sender} for an origin. `path` is sent byte for byte, without normalization. */
export function createSender(origin: string, connections = 16): Sender {
  const { protocol, hostname, port } = new URL(origin)
  const transport = protocol === 'https:' ? https : http
  const agent = new transport.Agent({ keepAlive: true, maxSockets: connections })
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    close: () => agent.destroy(),
    send: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
        const request = transport.request({
          agent,
          host,
          ...(port !== '' && { port }),
          method,
          path,
          headers: { ...length, ...headers } as http.OutgoingHttpHeaders,
        })
        request.setTimeout(HUNG_MS, () => {
          request.destroy(new Error(`${method} ${path} was not answered`))
        })
        request.once('error', reject)
        request.once('response', (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', reject)
          response.once('end', () => {
            const text = Buffer.concat(chunks).toString()
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              setCookies: response.headers['set-cookie'] ?? [],
              text,
              json: () => JSON.parse(text) as unknown,
            })
          })
        })
        request.end(body)
      }),
  }
}
