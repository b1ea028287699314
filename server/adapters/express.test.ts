import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import express from 'express'
import { describe, expect, it } from 'vitest'
import type { AuthBackendPort } from '../../backends/port.js'
import { createAuthApp } from './express.js'
import { createLogger } from '../log.js'

const ORIGIN = 'https://auth.example'
/** Every caller is anonymous. */
const backend = {
  name: 'anonymous',
  capabilities: {},
  sessions: { signOut: async () => ({ setCookies: [] }) },
  authenticate: async () => ({ ok: false, reason: 'credential-missing', setCookies: [] }),
} as unknown as AuthBackendPort

describe('createAuthApp in a host application', () => {
  it('leaves the other routes of the app alone', async () => {
    const app = express()
    app.use(createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }))
    app.use((req, res) => void res.send(`mine: ${req.url}`))
    const server = createServer(app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    // The host may publish its own keys while the API publishes none.
    for (const path of ['/', '/api/v1/authors', '/api/v1', '/.well-known/jwks.json']) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`)
      expect(await response.text()).toBe(`mine: ${path}`)
    }
    await new Promise((done) => server.close(done))
  })

  it('routes an absolute-form target by its path, wherever it is mounted', async () => {
    const outer = express()
    outer.use(
      '/mounted',
      createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }),
    )
    outer.use(createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }))
    outer.use((req, res) => void res.send(req.originalUrl))
    const around = createServer(outer)
    await new Promise<void>((done) => around.listen(0, '127.0.0.1', done))
    const { port } = around.address() as AddressInfo
    const get = (path: string): Promise<{ text: string; headers: IncomingHttpHeaders }> =>
      new Promise((resolve, reject) => {
        request({ port, path }, (answer) => {
          const { headers } = answer
          textOf(answer).then((text) => resolve({ text, headers }), reject)
        })
          .on('error', reject)
          .end()
      })
    for (const mount of ['', '/mounted']) {
      for (const authority of ['', 'http://evil.example', 'https://a:b@evil.example:8443']) {
        const target = `${authority}${mount}/api/v1/auth`
        expect((await get(`${target}/me`)).text, target).toBe('{"authenticated":false}')
        const callback = await get(`${target}/callback?code=x&state=y`)
        expect(callback.headers['referrer-policy'], target).toBe('no-referrer')
        expect((await get(`${target}/callback?code=x&code=y`)).text, target).toContain(
          'VALIDATION_ERROR',
        )
      }
    }
    // Requests outside the API reach the surrounding app unchanged.
    const foreign = 'http://evil.example/other?a=b'
    expect((await get(foreign)).text).toBe(foreign)
    await new Promise((done) => around.close(done))
  })

  it.each([
    ['express.raw', express.raw({ type: '*/*' })],
    ['express.text', express.text({ type: '*/*' })],
    ['express.urlencoded', express.urlencoded({ extended: true })],
    ['express.json', express.json()],
  ])('reads the body behind %s of the surrounding app', async (_name, parser) => {
    const outer = express()
    outer.use(parser)
    outer.use(createAuthApp({ backend, origin: ORIGIN, logger: createLogger('silent') }))
    const around = createServer(outer)
    await new Promise<void>((done) => around.listen(0, '127.0.0.1', done))
    const { port } = around.address() as AddressInfo
    const sent = async (route: string, type: string, body: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/auth/${route}`, {
        method: 'POST',
        redirect: 'manual',
        body,
        headers: { origin: ORIGIN, 'content-type': type },
      })
      return [response.status, response.headers.get('location') ?? (await response.text())]
    }
    const form = 'application/x-www-form-urlencoded'
    const json = 'application/json'
    expect(await sent('signout', form, 'everywhere=false&redirectTo=')).toEqual([303, `${ORIGIN}/`])
    expect(await sent('signout', json, '{"redirectTo":"/bye"}')).toEqual([
      200,
      expect.stringContaining(`${ORIGIN}/bye`),
    ])
    for (const [route, type, body, field] of [
      ['signin', json, '{"loginHint":1}', 'loginHint'],
      ['signin', form, 'scopes=a"b', 'scopes'],
      ['signout', json, '{"everywhere":"perhaps"}', 'everywhere'],
      ['token', json, '{"audience":1}', 'audience'],
      ['backchannel-logout', form, 'logout_token=', 'MALFORMED_REQUEST'],
    ] as const) {
      expect(await sent(route, type, body), route).toEqual([
        field === 'MALFORMED_REQUEST' ? 400 : 422,
        expect.stringContaining(field),
      ])
    }
    await new Promise((done) => around.close(done))
  })
})
