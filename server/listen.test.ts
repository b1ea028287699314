import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../backends/errors.js'
import { listen } from './listen.js'

const servers: Server[] = []
const server = (): Server => {
  const created = createServer()
  servers.push(created)
  return created
}
afterEach(() => {
  for (const one of servers.splice(0)) one.close()
})

describe('listen', () => {
  it('returns the URL it listens on', async () => {
    const url = await listen(server(), { port: 0, host: '127.0.0.1' })
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)
  })

  it.each([
    ['an address of another machine', '192.0.2.1'],
    ['a name that does not exist', 'nothing.invalid'],
  ])('names the variable of the host for %s', async (_name, host) => {
    const refused = await listen(server(), { port: 0, host }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(AuthConfigurationError)
    expect((refused as Error).message).toMatch(
      new RegExp(`cannot listen on ${host} .*Set NETSCRIPT_AUTH_HOST to an address`),
    )
  })

  it('names the variable of the port when the port is in use', async () => {
    const port = Number(new URL(await listen(server(), { port: 0, host: '127.0.0.1' })).port)
    for (const [variables, name] of [
      [undefined, 'PORT'],
      [{ port: 'OTHER_PORT', host: 'OTHER_HOST' }, 'OTHER_PORT'],
    ] as const) {
      await expect(
        listen(server(), { port, host: '127.0.0.1', ...(variables && { variables }) }),
      ).rejects.toThrow(`Port ${port} is in use. Stop what uses it, or set ${name} to another.`)
    }
  })
})
