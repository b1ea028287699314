import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import express, { type RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAuthError } from '../../backends/errors.js'
import { isForm, readBody } from '../engine/body.js'
import { toEngineRequest } from './node-message.js'

const FORM = 'application/x-www-form-urlencoded'
const LIMIT = 16 * 1024

/** What the app received: the body, or the error. */
type Seen =
  { body: unknown } | { code: string; detail: string; caused: boolean } | { other: string }

/** Consumes the body without keeping it. */
const consume: RequestHandler = (req, _res, next) => void req.on('end', () => next()).resume()

/** body-parser 1 (Express 4) sets an empty object when it parses nothing. */
const leaveEmptyObject: RequestHandler = (req, _res, next) => {
  req.body = {}
  next()
}
const put =
  (make: (text: string) => unknown): RequestHandler =>
  (req, _res, next) => {
    if (req.body !== undefined && req.body !== '') req.body = make(String(req.body))
    next()
  }
const text = express.text({ type: '*/*' })

const APPS_AROUND: Record<string, RequestHandler[]> = {
  '/raw': [express.raw({ type: '*/*' })],
  '/bytes': [text, put((body) => new TextEncoder().encode(body))],
  '/text': [text],
  '/json': [express.json()],
  '/json-of-any-type': [express.json({ type: '*/*' })],
  '/lenient-json': [express.json({ strict: false })],
  '/simple-form': [express.urlencoded({ extended: false })],
  '/extended-form': [express.urlencoded({ extended: true })],
  '/both': [express.json(), express.urlencoded({ extended: true })],
  '/express-4': [leaveEmptyObject],
  '/parameters': [text, put((body) => new URLSearchParams(body))],
  '/form-of-any-type': [express.urlencoded({ type: '*/*', extended: true })],
  '/consumed': [consume],
  '/map': [text, put((body) => new Map([['body', body]]))],
}

describe('the body of a request', () => {
  let server: Server
  let port: number

  beforeAll(async () => {
    const app = express()
    // What a surrounding app may do before it passes a request on.
    for (const [path, handlers] of Object.entries(APPS_AROUND)) app.use(path, ...handlers)
    app.use((req, res) => {
      readBody(toEngineRequest(req), 'json-or-form').then(
        (body) => res.json({ body } satisfies Seen),
        (error: Error) =>
          res.json(
            isAuthError(error)
              ? { code: error.code, detail: error.detail, caused: error.cause instanceof Error }
              : ({ other: error.message } satisfies Seen),
          ),
      )
    })
    server = createServer(app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => new Promise((done) => server.close(done)))

  const send = (
    headers: Record<string, string | number>,
    body?: string | Buffer,
    { path = '/' } = {},
  ) =>
    new Promise<Seen>((resolve, reject) => {
      const outgoing = request({ port, path, method: 'POST', headers, agent: false }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Seen))
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  it('does not wait for a body that is announced to be too large', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': 1_000_000_000 }
    const seen = await new Promise<Seen>((resolve, reject) => {
      const outgoing = request({ port, method: 'POST', headers, agent: false }, (res) => {
        res.on('data', (chunk: Buffer) => resolve(JSON.parse(chunk.toString()) as Seen))
        res.on('close', () => outgoing.destroy())
      })
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
    expect(seen).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })

  const without = (...paths: string[]) =>
    Object.keys(APPS_AROUND).filter((path) => !paths.includes(path))
  const UNUSABLE = ['/consumed', '/map']

  it.each(without('/json-of-any-type', '/form-of-any-type', '/parameters', ...UNUSABLE))(
    'reads JSON behind a surrounding app as without one: %s',
    async (path) => {
      const sent = (body: string, more = {}) =>
        send({ 'content-type': 'application/json', ...more }, body, { path })
      const json = '{"providerId":"é","scopes":["a","b"],"everywhere":false}'
      const expected = { body: JSON.parse(json) as unknown }
      expect(await sent(json)).toEqual(expected)
      const inCapitals = { 'content-type': 'Application/JSON; charset=UTF-8' }
      expect(await sent(json, inCapitals)).toEqual(expected)
      expect(await sent('{}')).toEqual({ body: {} })
      expect(await sent('[]')).toMatchObject({ code: 'MALFORMED_REQUEST' })
      expect(await sent('', { 'transfer-encoding': 'chunked' })).toEqual({ body: {} })
    },
  )

  it.each(without('/json-of-any-type', ...UNUSABLE))(
    'reads a form behind a surrounding app as without one: %s',
    async (path) => {
      const sent = (body: string) => send({ 'content-type': FORM }, body, { path })
      expect(await sent('everywhere=false&redirectTo=&scopes=a+b')).toEqual({
        body: { everywhere: false, scopes: ['a', 'b'] },
      })
      expect(await sent('scopes=a&scopes=b&providerId=%C3%A9')).toEqual({
        body: { scopes: ['a', 'b'], providerId: 'é' },
      })
      expect(await sent('redirectTo[x]=/y')).toEqual({ body: { 'redirectTo[x]': '/y' } })
      expect(await sent('redirectTo[x][y]=/z')).toEqual({ body: { 'redirectTo[x][y]': '/z' } })
    },
  )

  describe.each(without('/json-of-any-type'))('behind a surrounding app: %s', (path) => {
    it('does not treat a missing body as an empty object', async () => {
      for (const type of ['application/json', FORM]) {
        expect(await send({ 'content-type': type, 'content-length': 0 }, '', { path })).toEqual({
          body: {},
        })
      }
      expect(await send({ 'content-length': 0 }, '', { path })).toEqual({ body: {} })
    })

    it('refuses a body of another type', async () => {
      for (const type of ['text/plain', 'application/octet-stream', 'application/jsonp']) {
        expect(await send({ 'content-type': type }, '{"a":1}', { path }), type).toMatchObject({
          code: 'UNSUPPORTED_MEDIA_TYPE',
        })
      }
    })

    it('never takes a body that is too large', async () => {
      const body = `{"a":"${'a'.repeat(LIMIT)}"}`
      expect(await send({ 'content-type': 'application/json' }, body, { path })).toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
      })
    })
  })

  it.each(['/raw', '/bytes', '/text'])(
    'parses by its own rules what the surrounding app left unparsed, %s',
    async (path) => {
      const sent = (body: string | Buffer, type = 'application/json') =>
        send({ 'content-type': type, 'transfer-encoding': 'chunked' }, body, { path })
      for (const body of ['{"a":', '"a"', '1', 'null', 'a=b']) {
        expect(await sent(body), body).toMatchObject({ code: 'MALFORMED_REQUEST', caused: true })
      }
      expect(await sent(`{"a":"${'a'.repeat(LIMIT)}"}`)).toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
      })
      expect(await sent('a'.repeat(LIMIT + 1), FORM)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    },
  )

  it.each(['/raw', '/bytes', '/text'])(
    'rejects the same bodies as without a surrounding app, %s',
    async (path) => {
      const type = 'application/json'
      for (const headers of [
        { 'content-type': `${type}; charset=utf-16` },
        { 'content-type': type, 'content-encoding': 'gzip' },
      ]) {
        const body = 'content-encoding' in headers ? gzipSync('{}') : '{}'
        expect(await send(headers, body, { path }), JSON.stringify(headers)).toMatchObject({
          code: 'UNSUPPORTED_MEDIA_TYPE',
        })
      }
    },
  )

  it.each(['null', '1', '"a"', 'true'])(
    'rejects %s, which a lenient parser of the app accepted',
    async (json) => {
      const seen = await send({ 'content-type': 'application/json' }, json, {
        path: '/lenient-json',
      })
      expect(seen).toMatchObject({ code: 'MALFORMED_REQUEST' })
    },
  )

  it('rejects JSON that a form parser of the app misread', async () => {
    for (const body of ['{"providerId":"a"}', ' {"scopes":["a","b"]}', '{"a":"b=c&d"}']) {
      const headers = { 'content-type': 'application/json' }
      expect(await send(headers, body, { path: '/form-of-any-type' }), body).toMatchObject({
        code: 'MALFORMED_REQUEST',
        caused: true,
      })
    }
  })

  it.each([
    ['/consumed', 'application/json', '{"providerId":"a"}'],
    ['/consumed', FORM, 'providerId=a'],
    ['/map', 'application/json', '{"providerId":"a"}'],
    ['/map', FORM, 'providerId=a'],
    ['/parameters', 'application/json', '{"providerId":"a"}'],
  ])('names the cause when the app has consumed the body: %s, %s', async (path, type, body) => {
    expect(await send({ 'content-type': type }, body, { path })).toEqual({
      other: expect.stringContaining('Mount the API before body parsers'),
    })
  })
})

describe('isForm', () => {
  it.each([
    [FORM, true],
    [`${FORM};charset=utf-8`, true],
    [` ${FORM.toUpperCase()} ; a=b`, true],
    [`${FORM}x`, false],
    [`text/plain;${FORM}`, false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (type, expected) => {
    expect(isForm(type)).toBe(expected)
  })
})
