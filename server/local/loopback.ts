import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomInt } from 'node:crypto'

/** An HTTP server that only this machine can reach. */
export interface LoopbackServer {
  readonly port: number
  /** Sets the request listener. */
  serve(listener: RequestListener): void
  /** Stops listening and closes every connection, including keep-alive ones. */
  close(): Promise<void>
}

const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * Listens on 127.0.0.1 and, where available, on ::1. `localhost` may resolve to either, and another
 * program on the other address would receive the requests.
 *
 * @param port 0 for a port that is free on both.
 * @throws The error of listen, such as one with code `EADDRINUSE`.
 */
export async function listenOnLoopback(port: number, attempts = 10): Promise<LoopbackServer> {
  const first = await listen('127.0.0.1', port)
  const taken = (first.address() as AddressInfo).port
  try {
    const second = await listen('::1', taken).catch((error: NodeJS.ErrnoException) => {
      if (!NO_IPV6.has(error.code ?? '')) throw error
    })
    return join(taken, second ? [first, second] : [first])
  } catch (error) {
    await close(first)
    if (port === 0 && attempts > 1) return listenOnLoopback(port, attempts - 1)
    throw error
  }
}

function join(port: number, servers: readonly Server[]): LoopbackServer {
  return {
    port,
    serve(listener) {
      for (const server of servers) server.on('request', listener)
    },
    async close() {
      await Promise.all(servers.map(close))
    },
  }
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/**
 * Ports below the ephemeral ranges (Linux 32768, IANA 49152): a free port stays free unless another
 * program requests exactly this one.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000]
const TRIES = 50

/** Finds a free loopback port, for servers that must know their port before they listen. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST)
    if (await isFree(port)) return port
  }
  throw new Error(`No free port was found between ${LOWEST} and ${HIGHEST}.`)
}

async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen('127.0.0.1', port))
    return true
  } catch {
    return false
  }
}
