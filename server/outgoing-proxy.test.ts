import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../backends/errors.js'
import { getClientConfiguration } from '../backends/kv-oauth/configuration.js'
import { defineOAuthProvider } from '../backends/kv-oauth/provider.js'
import { type JsonServer, startJsonServer } from '../backends/kv-oauth/testing/json-server.js'
import { proxyHosts, readOutgoingProxy, useOutgoingProxy } from './outgoing-proxy.js'

const LOOPBACK = 'localhost,127.0.0.1,[::1]'

describe('the proxy of the environment', () => {
  it.each<[string, NodeJS.ProcessEnv, object | undefined]>([
    ['nothing', {}, undefined],
    ['empty variables', { HTTPS_PROXY: '', http_proxy: ' ', NO_PROXY: 'x' }, undefined],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://p:1' }, { https: 'http://p:1', http: '' }],
    ['https_proxy', { https_proxy: 'http://p:1' }, { https: 'http://p:1', http: '' }],
    ['HTTP_PROXY', { HTTP_PROXY: 'http://p:1' }, { https: '', http: 'http://p:1' }],
    ['both cases', { HTTPS_PROXY: 'http://a', https_proxy: 'http://b' }, { https: 'http://b' }],
    ['no scheme', { HTTPS_PROXY: 'p.example:3128' }, { https: 'http://p.example:3128' }],
    [
      'NO_PROXY',
      { HTTPS_PROXY: 'http://p', NO_PROXY: '.corp.example' },
      { noProxy: `.corp.example,${LOOPBACK}` },
    ],
    ['no_proxy for all', { HTTPS_PROXY: 'http://p', no_proxy: '*' }, { noProxy: '*' }],
  ])('is read from %s', (_what, env, expected) => {
    const proxy = readOutgoingProxy(env)
    if (expected) expect(proxy).toMatchObject(expected)
    else expect(proxy).toBeUndefined()
  })

  it.each(['socks5://user:secret@proxy:1080', 'http://user:secret@pro xy'])(
    'must be an http or https URL, and a password is not repeated: %s',
    (HTTPS_PROXY) => {
      const read = () => readOutgoingProxy({ HTTPS_PROXY })
      expect(read).toThrow(AuthConfigurationError)
      expect(read).toThrow(/^HTTPS_PROXY must be an http or https URL, such as [^ ]+$/)
      expect(read).not.toThrow(/secret/)
    },
  )

  it('is named without its credentials', () => {
    const proxy = readOutgoingProxy({ HTTPS_PROXY: 'http://user:secret@proxy.example:3128' })
    expect(proxy && proxyHosts(proxy)).toBe('proxy.example:3128')
  })
})

describe('requests to a provider', () => {
  const issuer = 'http://idp.example'
  let idp: JsonServer
  let proxy: Server
  let tunnels: string[]
  beforeEach(async () => {
    tunnels = []
    idp = await startJsonServer(() => ({
      json: {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
      },
    }))
    proxy = createServer().on('connect', ({ url = '' }, socket) => {
      tunnels.push(url)
      const there = connect(Number(new URL(idp.origin).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        there.pipe(socket)
        socket.pipe(there)
      })
      for (const end of [there, socket]) end.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
    await idp.close()
  })

  const discover = () =>
    getClientConfiguration(
      defineOAuthProvider({
        id: 'idp',
        clientId: 'client',
        issuer,
        redirectUri: 'https://app.example/api/v1/auth/callback',
      }),
      { allowInsecureRequests: true },
    )

  it.each(['HTTP_PROXY', 'http_proxy'])(
    'go through the proxy of %s, but for loopback and NO_PROXY',
    async (name) => {
      const { port } = proxy.address() as AddressInfo
      const env = { [name]: `http://127.0.0.1:${port}` }
      const leave = await useOutgoingProxy(env)
      expect((await discover()).serverMetadata().issuer).toBe(issuer)
      expect((await fetch(idp.origin)).status).toBe(200)
      expect(tunnels).toEqual(['idp.example:80'])
      await leave()

      const leaveAgain = await useOutgoingProxy({ ...env, NO_PROXY: 'idp.example' })
      await expect(discover()).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
      await leaveAgain()
      expect(tunnels).toHaveLength(1)
    },
  )
})
