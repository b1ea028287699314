import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import express, { type ErrorRequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAuthError } from '../../backends/errors.js'
import { isForm, readBody } from './body.js'

const FORM = 'application/x-www-form-urlencoded'
const LIMIT = 16 * 1024

const DETAILS: Record<string, string> = {
  MALFORMED_REQUEST: 'The body could not be parsed. Send valid JSON.',
  UNSUPPORTED_MEDIA_TYPE: 'Send UTF-8 without an unusual encoding.',
  PAYLOAD_TOO_LARGE: 'Send at most 16kb.',
}

/** What the app saw: the body it was given, or the error. */
type Seen =
  { body: unknown } | { code: string; detail: string; caused: boolean } | { other: string }

describe('readBody', () => {
  let server: Server
  let port: number

  beforeAll(async () => {
    const app = express()
    // What an app around ours may do before it hands a request over.
    app.use('/parsed', express.text({ type: 'text/plain' }))
    app.use('/form', express.urlencoded({ extended: false }))
    app.use('/broken', () => {
      throw Object.assign(new Error('not about the body'), { status: 418 })
    })
    app.use(readBody)
    app.use((req, res) => void res.json({ body: req.body as unknown } satisfies Seen))
    const onError: ErrorRequestHandler = (error: Error, _req, res, _next) => {
      const seen: Seen = isAuthError(error)
        ? { code: error.code, detail: error.detail, caused: error.cause instanceof Error }
        : { other: error.message }
      res.json(seen)
    }
    app.use(onError)
    server = createServer(app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => new Promise((done) => server.close(done)))

  const send = (
    headers: Record<string, string | number>,
    body?: string | Buffer,
    { method = 'POST', path = '/' } = {},
  ) =>
    new Promise<Seen>((resolve, reject) => {
      const outgoing = request({ port, path, method, headers, agent: false }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Seen))
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  it.each<[string, Record<string, string | number>, string | Buffer | undefined, unknown]>([
    ['JSON', { 'content-type': 'application/json' }, '{"everywhere":true}', { everywhere: true }],
    [
      'JSON, charset',
      { 'content-type': 'application/json; charset=utf-8' },
      '{"a":"é"}',
      { a: 'é' },
    ],
    [
      'JSON, gzip',
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      gzipSync('{"a":1}'),
      { a: 1 },
    ],
    ['a form', { 'content-type': FORM }, 'everywhere=false&redirectTo=', { everywhere: false }],
    [
      'a form, charset',
      { 'content-type': `${FORM.toUpperCase()} ; charset=utf-8` },
      'scopes=a+b',
      { scopes: ['a', 'b'] },
    ],
    ['an empty form', { 'content-type': FORM, 'content-length': 0 }, undefined, {}],
    ['no body', { 'content-length': 0 }, undefined, {}],
    ['no body, JSON', { 'content-type': 'application/json', 'content-length': 0 }, undefined, {}],
  ])('reads %s', async (_name, headers, body, expected) => {
    expect(await send(headers, body)).toEqual({ body: expected })
  })

  it('does not look at what comes with another method', async () => {
    expect(await send({}, undefined, { method: 'DELETE' })).toEqual({})
  })

  it.each<[string, string, Record<string, string | number>, string | Buffer]>([
    ['broken JSON', 'MALFORMED_REQUEST', { 'content-type': 'application/json' }, '{"a":'],
    ['JSON that is no object', 'MALFORMED_REQUEST', { 'content-type': 'application/json' }, '"a"'],
    [
      'an unusual charset',
      'UNSUPPORTED_MEDIA_TYPE',
      { 'content-type': 'application/json; charset=latin1' },
      '{}',
    ],
    [
      'an unknown encoding',
      'UNSUPPORTED_MEDIA_TYPE',
      { 'content-type': FORM, 'content-encoding': 'compress' },
      'a=b',
    ],
    [
      'large JSON',
      'PAYLOAD_TOO_LARGE',
      { 'content-type': 'application/json' },
      `"${'a'.repeat(LIMIT)}"`,
    ],
    ['a large form', 'PAYLOAD_TOO_LARGE', { 'content-type': FORM }, 'a'.repeat(LIMIT + 1)],
    [
      'much in little',
      'PAYLOAD_TOO_LARGE',
      { 'content-type': FORM, 'content-encoding': 'gzip' },
      gzipSync('a'.repeat(LIMIT + 1)),
    ],
  ])('refuses %s: %s', async (name, code, headers, body) => {
    const seen = await send(headers, body)
    // What is announced to be large is refused before anybody has read it.
    const caused = !name.includes('large')
    expect(seen).toEqual({ code, detail: DETAILS[code], caused })
  })

  it('refuses large JSON that was not announced, when it has been read', async () => {
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    expect(await send(headers, `"${'a'.repeat(LIMIT)}"`)).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      caused: true,
    })
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

  it.each([
    ['everywhere=false&redirectTo=&scopes=a+b', { everywhere: false, scopes: ['a', 'b'] }],
    ['scopes=a&scopes=b&providerId=x', { scopes: ['a', 'b'], providerId: 'x' }],
  ])('decodes a form that an app around ours has parsed: %s', async (form, body) => {
    expect(await send({ 'content-type': FORM }, form, { path: '/form' })).toEqual({ body })
  })

  it('takes a form without a body for none', async () => {
    expect(await send({ 'content-type': FORM })).toEqual({ body: {} })
  })

  it('takes exactly the limit', async () => {
    const json = `{"a":"${'a'.repeat(LIMIT - 8)}"}`
    expect(await send({ 'content-type': 'application/json' }, json)).toEqual({
      body: JSON.parse(json) as unknown,
    })
    const form = `a=${'a'.repeat(LIMIT - 2)}`
    expect(await send({ 'content-type': FORM }, form)).toEqual({ body: { a: form.slice(2) } })
  })

  it.each<[string, Record<string, string | number>]>([
    ['another type', { 'content-type': 'text/plain', 'content-length': 1 }],
    ['another type, chunked', { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' }],
    ['no type', { 'content-length': 1 }],
    ['a type that looks alike', { 'content-type': 'application/jsonp', 'content-length': 1 }],
  ])('refuses a body of %s, and says what it takes', async (_name, headers) => {
    expect(await send(headers, 'a')).toEqual({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      detail: `Send application/json or ${FORM}.`,
      caused: false,
    })
  })

  it('does not take for a form what the app around it has parsed as something else', async () => {
    const seen = await send({ 'content-type': 'text/plain' }, 'everywhere=true', {
      path: '/parsed',
    })
    expect(seen).toEqual({ body: 'everywhere=true' })
  })

  it('passes on an error that is not about the body', async () => {
    expect(await send({}, undefined, { path: '/broken' })).toEqual({ other: 'not about the body' })
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
    expect(isForm({ headers: { 'content-type': type } })).toBe(expected)
  })
})
