import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A round-robin proxy in front of several processes. */
export interface RoundRobin {
  readonly port: number
  /** Number of requests that it retried on another process. */
  readonly retried: number
  /** Sets the targets. */
  use(origins: readonly string[]): void
  close(): Promise<void>
}

/**
 * A realistic proxy with keep-alive connections to the processes. It skips a process that refuses
 * connections, and retries a failed request on another process only when the request is idempotent (RFC
 * 9110 section 9.2.2).
 */
export async function startRoundRobin(port: number): Promise<RoundRobin> {
  const agent = new Agent({ keepAlive: true })
  let origins: readonly string[] = []
  let turn = 0
  let retried = 0

  const pass = (
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
    tried: readonly string[],
  ): void => {
    const left = origins.filter((origin) => !tried.includes(origin))
    const origin = left[(turn += 1) % left.length]
    if (origin === undefined) {
      outgoing.writeHead(502, { 'content-type': 'application/json' }).end('{"proxy":"no process"}')
      return
    }
    const { method, url, headers } = incoming
    const upstream = request(`${origin}${url}`, { agent, method, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
      response.on('error', () => outgoing.destroy())
      response.on('aborted', () => outgoing.destroy())
    })
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent) return outgoing.destroy()
      const untouched = error.code === 'ECONNREFUSED'
      if (untouched || method === 'GET') {
        retried += 1
        return pass(incoming, body, outgoing, [...tried, origin])
      }
      outgoing.writeHead(502, { 'content-type': 'application/json' }).end('{"proxy":"broken"}')
    })
    upstream.end(body)
  }
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => pass(incoming, Buffer.concat(chunks), outgoing, []))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    get retried() {
      return retried
    },
    use(next) {
      origins = next
    },
    async close() {
      agent.destroy()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
