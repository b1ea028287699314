import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { freePort } from '../../local/loopback.js'

/** A proxy for a provider that can change its metadata and clock. */
export interface ProviderProxy {
  /** The provider under the address of the proxy. */
  readonly issuer: string
  /** How wrong its clock is, in milliseconds. */
  clockShiftMs: number
  /** Changes the metadata. */
  metadata: (honest: Record<string, unknown>) => Record<string, unknown>
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

/** Starts a {@link ProviderProxy} that changes nothing but the address. */
export async function startProviderProxy(target: string): Promise<ProviderProxy> {
  const answer: RequestListener = (req, res) => {
    void (async () => {
      const { method = 'GET' } = req
      const { authorization, 'content-type': type } = req.headers
      const response = await fetch(new URL(req.url ?? '/', target), {
        method,
        redirect: 'manual',
        headers: {
          ...(authorization !== undefined && { authorization }),
          ...(type !== undefined && { 'content-type': type }),
        },
        ...(method === 'POST' && { body: await text(req) }),
      })
      const answered = (await response.text()).replaceAll(target, proxy.issuer)
      const isMetadata = response.ok && req.url?.endsWith('/openid-configuration') === true
      const body = isMetadata
        ? JSON.stringify(proxy.metadata(JSON.parse(answered) as Record<string, unknown>))
        : answered
      res.writeHead(response.status, {
        'content-type': response.headers.get('content-type') ?? 'text/plain',
        date: new Date(Date.now() + proxy.clockShiftMs).toUTCString(),
      })
      res.end(body)
    })()
  }
  // Not a port of the ephemeral range: it must still be free when the provider comes back.
  const port = await freePort()
  let server = await listen(answer, port)
  const proxy: ProviderProxy = {
    issuer: `http://localhost:${port}`,
    clockShiftMs: 0,
    metadata: (honest) => honest,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    async start() {
      server = await listen(answer, port)
    },
  }
  return proxy
}

async function listen(answer: RequestListener, port: number): Promise<Server> {
  const server = createServer(answer).listen(port, 'localhost')
  await once(server, 'listening')
  return server
}
