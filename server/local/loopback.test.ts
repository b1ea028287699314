import { createServer, type Server } from 'node:http'
import { networkInterfaces } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { listenOnLoopback, type LoopbackServer } from './loopback.js'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

const running: LoopbackServer[] = []
const strangers: Server[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()))
  for (const stranger of strangers.splice(0)) stranger.close()
})

async function start(port = 0): Promise<LoopbackServer> {
  const server = await listenOnLoopback(port)
  running.push(server)
  server.serve((_req, res) => res.end('ours'))
  return server
}

describe('the loopback server', () => {
  it.each([...['127.0.0.1', 'localhost'], ...(hasIpv6 ? ['[::1]'] : [])])(
    'answers on %s',
    async (host) => {
      const { port } = await start()
      expect(await (await fetch(`http://${host}:${port}`)).text()).toBe('ours')
    },
  )

  it('is unreachable from other machines', async () => {
    const { port } = await start()
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4')?.address
    await expect(fetch(`http://${outside ?? '127.0.0.2'}:${port}`)).rejects.toThrow()
  })

  it('cuts connections with a request under way when it closes, and frees its port', async () => {
    const server = await listenOnLoopback(0)
    const arrived = new Promise<void>((resolve) => server.serve(() => resolve()))
    const answer = expect(fetch(`http://127.0.0.1:${server.port}`)).rejects.toThrow()
    await arrived
    await server.close()
    await answer
    expect((await start(server.port)).port).toBe(server.port)
  })

  it.runIf(hasIpv6)(
    'does not share its port with another program on the other address',
    async () => {
      const stranger = createServer()
      strangers.push(stranger)
      const port = await new Promise<number>((resolve) => {
        stranger.listen(0, '::1', () => {
          const address = stranger.address()
          resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
        })
      })
      await expect(start(port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    },
  )
})
