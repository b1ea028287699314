import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../backends/errors.js'
import { getClientConfiguration } from '../backends/kv-oauth/configuration.js'
import { defineOAuthProvider } from '../backends/kv-oauth/define-provider.js'
import { type JsonServer, startJsonServer } from '../backends/kv-oauth/testing/json-server.js'
import {
  createTestCertificate,
  describeWithOpenssl,
  type TestCertificate,
} from '../backends/kv-oauth/storage/testing/certificate.js'
import { checkOutgoingProxy } from './cli/doctor/configuration.js'
import { inspectConfig } from './config/config.js'
import { listen } from './listen.js'
import type { Logger } from './log.js'
import { isProxied, proxyHosts, readOutgoingProxy, useOutgoingProxy } from './outgoing-proxy.js'
import { startTracing } from './tracing/start-tracing.js'

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

  const BOTH = { https: 'http://p', http: 'http://p' }
  it.each([
    ['https://idp.example/x', { https: 'http://p', http: '' }, '', true],
    ['http://idp.example', { https: 'http://p', http: '' }, '', false],
    ['https://idp.example', { https: '', http: 'http://p' }, '', true],
    ['https://idp.example', BOTH, '*', false],
    ['https://idp.example', BOTH, 'other.example idp.example', false],
    ['https://a.idp.example', BOTH, 'idp.example', false],
    ['https://a.idp.example', BOTH, '.IDP.example', false],
    ['https://a.idp.example', BOTH, '*.idp.example', false],
    ['https://notidp.example', BOTH, 'idp.example', true],
    ['https://idp.example:8443', BOTH, 'idp.example:8443', false],
    ['https://idp.example:8444', BOTH, 'idp.example:8443', true],
    ['http://[::1]:4318', BOTH, LOOPBACK, false],
    ['http://localhost:4318', BOTH, LOOPBACK, false],
  ])('is meant for %s with %j and NO_PROXY=%s: %s', async (url, given, noProxy, expected) => {
    expect(isProxied({ ...given, noProxy }, url)).toBe(expected)
  })

  it.each([
    [
      'http://collector.example:4318',
      '',
      /^Traces do not go through the proxy p:3128: .* collector\.example directly\./,
    ],
    ['http://collector.example:4318', 'collector.example', undefined],
    ['http://localhost:4318', '', undefined],
  ])(
    'is not used for traces, which a warning says: %s, NO_PROXY=%s',
    async (url, NO_PROXY, said) => {
      const warnings: unknown[] = []
      const logger = { warn: (text: unknown) => void warnings.push(text) } as Logger
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, HTTP_PROXY: 'http://p:3128', NO_PROXY }
      const reading = inspectConfig(env, { production: false })
      const tracing = await startTracing(reading.config.variables, logger, readOutgoingProxy(env))
      await tracing?.close()
      expect(warnings).toEqual(said ? [expect.stringMatching(said)] : [])
      const findings = await checkOutgoingProxy({ env, ...reading })
      expect(findings.map(({ status }) => status)).toEqual(said ? ['ok', 'warn'] : ['ok'])
    },
  )

  it('is named without its credentials', () => {
    const proxy = readOutgoingProxy({ HTTPS_PROXY: 'http://user:secret@proxy.example:3128' })
    expect(proxy && proxyHosts(proxy)).toBe('proxy.example:3128')
  })
})

/** A proxy that leads every tunnel to a server on this machine, and the hosts that were asked for. */
async function startProxy(target: () => string): Promise<{
  url: string
  tunnels: string[]
  close: () => Promise<void>
}> {
  const tunnels: string[] = []
  const server = createServer().on('connect', ({ url = '' }, socket) => {
    tunnels.push(url)
    const there = connect(Number(new URL(target()).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      there.pipe(socket)
      socket.pipe(there)
    })
    for (const end of [there, socket]) end.on('error', () => undefined)
  })
  const url = await listen(server, { port: 0, host: '127.0.0.1' })
  return {
    url,
    tunnels,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('requests to a provider', () => {
  const issuer = 'http://idp.example'
  let idp: JsonServer
  let proxy: Awaited<ReturnType<typeof startProxy>>
  beforeEach(async () => {
    idp = await startJsonServer(() => ({
      json: {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
      },
    }))
    proxy = await startProxy(() => idp.origin)
  })
  afterEach(async () => {
    await proxy.close()
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
      const env = { [name]: proxy.url }
      const leave = await useOutgoingProxy(env)
      expect((await discover()).serverMetadata().issuer).toBe(issuer)
      expect((await fetch(idp.origin)).status).toBe(200)
      expect(proxy.tunnels).toEqual(['idp.example:80'])
      await leave()

      const leaveAgain = await useOutgoingProxy({ ...env, NO_PROXY: 'idp.example' })
      await expect(discover()).rejects.toMatchObject({ code: 'AUTH_PROVIDER_ERROR' })
      await leaveAgain()
      expect(proxy.tunnels).toHaveLength(1)
    },
  )
})

describeWithOpenssl('requests by https', () => {
  const HOST = 'provider.example'
  let certificate: TestCertificate
  let server: Server
  let proxy: Awaited<ReturnType<typeof startProxy>>
  beforeAll(async () => {
    certificate = createTestCertificate(HOST)
    const tls = {
      cert: readFileSync(certificate.certificate),
      key: readFileSync(certificate.key),
    }
    const origin = `https://${HOST}`
    server = createTlsServer(tls, (_req, res) => {
      res.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          ...{
            issuer: origin,
            authorization_endpoint: origin,
            token_endpoint: origin,
            jwks_uri: origin,
          },
          ...{ keys: [], object: 'user', id: 'user_1' },
        }),
      )
    })
    const url = await listen(server, { port: 0, host: '127.0.0.1' })
    proxy = await startProxy(() => url)
  })
  afterAll(async () => {
    await proxy.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    certificate.remove()
  })

  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  it.each([
    [
      'discovery',
      `const { getClientConfiguration } = await import(${module('../backends/kv-oauth/configuration.ts')})
       const { defineOAuthProvider } = await import(${module('../backends/kv-oauth/define-provider.ts')})
       const redirectUri = 'https://app.example/api/v1/auth/callback'
       const provider = { id: 'idp', clientId: 'a', issuer: 'https://${HOST}', redirectUri }
       await getClientConfiguration(defineOAuthProvider(provider), { allowInsecureRequests: false })`,
    ],
    [
      'the SDK of WorkOS',
      `const { createUserManagement } = await import(${module('../backends/workos/client.ts')})
       const settings = { apiKey: 'sk', clientId: 'client', apiTimeoutMs: 5000 }
       const apiUrl = new URL('https://${HOST}')
       await (await createUserManagement({ ...settings, apiUrl })).getUser('user_1')`,
    ],
    [
      'keys',
      `const { createRemoteKeys } = await import(${module('../backends/remote-keys.ts')})
       const limits = { timeoutMs: 5000, cooldownMs: 1000 }
       await createRemoteKeys(new URL('https://${HOST}/keys'), limits).reload()`,
    ],
  ])('go through the proxy of HTTPS_PROXY: %s', async (_what, code) => {
    proxy.tunnels.length = 0
    const script = `
      const { useOutgoingProxy } = await import(${module('outgoing-proxy.ts')})
      const leave = await useOutgoingProxy(process.env)
      ${code}
      await leave()`
    const env = {
      ...{ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: certificate.certificate },
      HTTPS_PROXY: proxy.url,
    }
    const source = ['--conditions', '@netscript/source', '--import', 'tsx']
    const args = [...source, '--input-type=module', '--eval', script]
    await promisify(execFile)(process.execPath, args, { env })
    expect(proxy.tunnels).toEqual([`${HOST}:443`])
  })
})
