import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request to a {@link startJsonServer} handler. */
export interface JsonServerRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  /** The body, decoded as a form. */
  form: URLSearchParams
}

/** The response of a handler; `text` is sent unchanged, `json` encoded. The default status is 200. */
export interface JsonServerAnswer {
  status?: number
  headers?: Record<string, string>
  json?: unknown
  text?: string
}

/** A server on a free loopback port, for tests of a provider with custom responses. */
export interface JsonServer {
  origin: string
  requests: JsonServerRequest[]
  close(): Promise<void>
}

/** Starts a {@link JsonServer}. A handler that never resolves simulates a provider that hangs. */
export async function startJsonServer(
  handler: (request: JsonServerRequest) => JsonServerAnswer | Promise<JsonServerAnswer>,
): Promise<JsonServer> {
  const requests: JsonServerRequest[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://localhost')
      const request = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        form: new URLSearchParams(Buffer.concat(chunks).toString()),
      }
      requests.push(request)
      void Promise.resolve(handler(request)).then(({ status = 200, headers, json, text }) => {
        outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
        outgoing.end(text ?? JSON.stringify(json))
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
