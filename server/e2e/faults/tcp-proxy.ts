import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A proxy between the service and Postgres that simulates network faults. */
export interface TcpProxy {
  /** The same database, through the proxy. */
  url(databaseUrl: string): string
  /** Delays every byte in both directions by this many milliseconds. */
  slow(ms: number): void
  /** Holds all data until `resume`, like a network that retransmits later. */
  stall(): void
  resume(): void
  /** Closes every connection in the middle of its next response. */
  cutMidAnswer(): void
  /** Half-closes every connection, towards the service or towards Postgres. */
  halfClose(towards: 'service' | 'postgres'): void
  /** Drops every connection silently, like a firewall; new ones work. */
  forget(): void
  /** Number of open connections. */
  readonly links: number
  /** Number of cut responses so far. */
  readonly cut: number
  close(): Promise<void>
}

interface Link {
  readonly service: Socket
  readonly postgres: Socket
  /** Its next answer is cut. */
  doomed: boolean
  forgotten: boolean
}

/** Starts a {@link TcpProxy} in front of the Postgres of `databaseUrl`. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl)
  const links = new Set<Link>()
  let delayMs = 0
  let stalled: { over: Promise<void>; resume: () => void } | undefined
  let cut = 0

  const carry = (link: Link, from: Socket, to: Socket): void => {
    let last: Promise<unknown> = Promise.resolve()
    /** Data arrives in order, whatever the delays. */
    const later = (act: () => void): void => {
      const held = delayMs > 0 ? delay(delayMs) : undefined
      last = last.then(async () => {
        await held
        await stalled?.over
        if (!link.forgotten) act()
      })
    }
    from.on('data', (bytes: Buffer) =>
      later(() => {
        if (link.doomed && from === link.postgres) {
          cut += 1
          to.write(bytes.subarray(0, bytes.length >> 1), () => to.destroy())
          from.destroy()
        } else if (!to.destroyed) to.write(bytes)
      }),
    )
    from.on('end', () => later(() => to.end()))
    from.on('error', () => to.destroy())
    from.on('close', () => {
      links.delete(link)
      if (!link.forgotten) later(() => to.destroy())
    })
  }
  const server = createServer({ allowHalfOpen: true }, (service) => {
    const postgres = connect({
      host: target.hostname,
      port: Number(target.port),
      allowHalfOpen: true,
    })
    const link: Link = { service, postgres, doomed: false, forgotten: false }
    links.add(link)
    carry(link, service, postgres)
    carry(link, postgres, service)
  })
  await listen(server)
  const { port } = server.address() as AddressInfo

  return {
    url(through) {
      const url = new URL(through)
      url.host = `127.0.0.1:${port}`
      return url.href
    },
    slow(ms) {
      delayMs = ms
    },
    stall() {
      let resume = (): void => undefined
      const over = new Promise<void>((resolve) => (resume = resolve))
      stalled = { over, resume }
    },
    resume() {
      stalled?.resume()
      stalled = undefined
    },
    cutMidAnswer() {
      for (const link of links) link.doomed = true
    },
    halfClose(towards) {
      for (const link of links) link[towards].end()
    },
    forget() {
      for (const link of links) link.forgotten = true
    },
    get links() {
      return [...links].filter(({ forgotten }) => !forgotten).length
    },
    get cut() {
      return cut
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const { service, postgres } of links) {
        service.destroy()
        postgres.destroy()
      }
      await closed
    },
  }
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
}
