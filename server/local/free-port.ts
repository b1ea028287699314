import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

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
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
