import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Ports below the ranges that operating systems take outgoing connections from (Linux 32768, IANA
 * 49152): a port that was just free stays so, unless another program asks for exactly this one.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000]
const TRIES = 50

/** A free port of loopback, for what must know its port before it listens. */
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
