import { describe, expect, it } from 'vitest'
import { type AuthError, isAuthError } from '../../backends/errors.js'
import { createLogger } from '../log.js'
import { announcesBody } from '../../backends/body-consumed.js'
import {
  checkOrigin,
  corsHeaders,
  type Origins,
  preflightHeaders,
  withLoopback,
} from './cross-origin.js'

const ALLOWED = new Set(['https://auth.example', 'https://app.auth.example'])

/** The error, or nothing. */
function check(
  method: string,
  headers: Record<string, string>,
  { path = '/', allowed = ALLOWED }: { path?: string; allowed?: Origins } = {},
): AuthError | undefined {
  try {
    checkOrigin({ method, headers, hasBody: announcesBody(headers) }, path, allowed)
    return undefined
  } catch (error) {
    if (isAuthError(error)) return error
    throw error
  }
}

const outcome = (method: string, headers: Record<string, string>, path = '/'): string =>
  check(method, headers, { path })?.code ?? 'passed'

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('checkOrigin', () => {
  it.each<[string, Record<string, string>, string]>([
    ['its own origin', { origin: 'https://auth.example', ...FORM }, 'passed'],
    ['a listed origin', { origin: 'https://app.auth.example', ...FORM }, 'passed'],
    ['another origin', { origin: 'https://evil.example', ...JSON_TYPE }, 'ORIGIN_NOT_ALLOWED'],
    ['an origin that looks alike', { origin: 'https://auth.example.evil' }, 'ORIGIN_NOT_ALLOWED'],
    ['another port', { origin: 'https://auth.example:8443' }, 'ORIGIN_NOT_ALLOWED'],
    [
      'another origin that claims to be the same',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      'ORIGIN_NOT_ALLOWED',
    ],
    ['no origin, same-origin', { 'sec-fetch-site': 'same-origin', ...FORM }, 'passed'],
    ['no origin, typed by the user', { 'sec-fetch-site': 'none', ...FORM }, 'passed'],
    ['no origin, same-site', { 'sec-fetch-site': 'same-site', ...JSON_TYPE }, 'ORIGIN_NOT_ALLOWED'],
    ['no origin, cross-site', { 'sec-fetch-site': 'cross-site', ...FORM }, 'ORIGIN_NOT_ALLOWED'],
    ['null, cross-site', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 'ORIGIN_NOT_ALLOWED'],
    ['null, same-origin', { origin: 'null', 'sec-fetch-site': 'same-origin', ...FORM }, 'passed'],
    ['null and nothing else, JSON', { origin: 'null', ...JSON_TYPE }, 'passed'],
    ['null and nothing else, form', { origin: 'null', ...FORM }, 'ORIGIN_NOT_ALLOWED'],
    ['nothing, JSON', { 'content-type': 'application/json; charset=utf-8' }, 'passed'],
    ['nothing, JSON and nothing else', JSON_TYPE, 'passed'],
    ['nothing, JSON in capitals', { 'content-type': 'Application/JSON  ;a=b' }, 'passed'],
    ['nothing, form', FORM, 'ORIGIN_NOT_ALLOWED'],
    ['nothing at all', {}, 'ORIGIN_NOT_ALLOWED'],
    ['a JSON look-alike', { 'content-type': 'application/jsonp' }, 'ORIGIN_NOT_ALLOWED'],
    [
      'a JSON look-alike with a parameter',
      { 'content-type': 'application/jsonp; charset=utf-8' },
      'ORIGIN_NOT_ALLOWED',
    ],
    ['text/plain', { 'content-type': 'text/plain; application/json' }, 'ORIGIN_NOT_ALLOWED'],
  ])('POST from %s', (_name, headers, expected) => {
    expect(outcome('POST', headers)).toBe(expected)
    expect(outcome('DELETE', headers)).toBe(expected)
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(outcome(method, headers)).toBe('passed')
  })

  it('exempts back-channel logout by its exact path, and nothing else', () => {
    const fromProvider = (path: string) => outcome('POST', FORM, `/api/v1/auth${path}`)
    expect(fromProvider('/backchannel-logout')).toBe('passed')
    for (const path of [
      '/signin',
      '/signout',
      '/sessions',
      '/backchannel-logout/',
      '/BACKCHANNEL-LOGOUT',
      '/backchannel-logout/../signout',
      '//backchannel-logout',
    ]) {
      expect(fromProvider(path), path).toBe('ORIGIN_NOT_ALLOWED')
    }
  })

  it.each<[string, Record<string, string>]>([
    ['no content type', {}],
    ['text/plain', { 'content-type': 'text/plain' }],
    ['a JSON look-alike', { 'content-type': 'application/jsonp' }],
    ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }],
  ])('refuses a body with %s for its type, when no page can be behind it', (_name, type) => {
    for (const body of [{ 'content-length': '2' }, { 'transfer-encoding': 'chunked' }]) {
      expect(outcome('POST', { ...body, ...type })).toBe('UNSUPPORTED_MEDIA_TYPE')
      expect(outcome('POST', { ...body, ...type, origin: 'null' })).toBe('UNSUPPORTED_MEDIA_TYPE')
      // A page may be behind these, or no body.
      expect(outcome('POST', { ...body, ...type, origin: 'https://evil.example' })).toBe(
        'ORIGIN_NOT_ALLOWED',
      )
      expect(outcome('POST', { ...body, ...type, 'sec-fetch-site': 'cross-site' })).toBe(
        'ORIGIN_NOT_ALLOWED',
      )
      expect(outcome('POST', { ...body, ...FORM })).toBe('ORIGIN_NOT_ALLOWED')
      expect(outcome('DELETE', { ...body, ...type })).toBe('ORIGIN_NOT_ALLOWED')
    }
  })

  it('names the setting in the log, and neither it nor the origin to the user', () => {
    const refusal = check('POST', { origin: 'http://localhost:5173', ...FORM })
    expect(refusal?.cause).toMatchObject({
      message: expect.stringMatching(
        /http:\/\/localhost:5173.*NETSCRIPT_AUTH_CORS_ORIGINS.*corsOrigins/,
      ),
    })
    for (const headers of [
      { origin: 'http://localhost:5173' },
      { 'sec-fetch-site': 'same-site' },
      {},
    ]) {
      expect(check('POST', headers)?.detail).not.toMatch(/NETSCRIPT|HTTP|localhost/)
    }
  })

  const development = (lines: string[]) => {
    const logger = createLogger('info', { write: (line) => void lines.push(line) })
    return { allowed: withLoopback(ALLOWED, 'http://localhost:8094', logger) }
  }

  it('accepts pages on this machine in development, by the whole host, and logs each once', () => {
    const lines: string[] = []
    const inDevelopment = development(lines)
    const accepted = [
      'http://localhost:5173',
      'http://localhost',
      'https://localhost:3000',
      'http://127.0.0.1:5173',
      'http://[::1]:5173',
    ]
    for (const origin of [...accepted, ...accepted]) {
      expect(check('POST', { origin, ...FORM }, inDevelopment), origin).toBeUndefined()
    }
    check('POST', { origin: 'http://localhost:8094' }, inDevelopment)
    expect(lines).toHaveLength(accepted.length)
    for (const [index, origin] of accepted.entries()) expect(lines[index]).toContain(`${origin}:`)
    for (const origin of [
      'http://localhost.evil.example',
      'http://evil.example:5173',
      'http://localhost:5173.evil.example',
      'http://localhost@evil.example',
      'http://app.localhost:5173',
      'http://127.0.0.1.nip.io',
      'http://127.0.0.2:5173',
      'http://0.0.0.0:5173',
      'http://192.168.1.2:5173',
      'ftp://localhost',
      'http://localhost:5173/',
      'http://localhost:5173 ',
      'http://LOCALHOST:5173',
      'file://',
    ]) {
      expect(check('POST', { origin, ...JSON_TYPE }, inDevelopment)?.code, origin).toBe(
        'ORIGIN_NOT_ALLOWED',
      )
      expect(check('POST', { origin: 'http://localhost:5173' })?.code).toBe('ORIGIN_NOT_ALLOWED')
    }
  })

  it('logs a bounded number of accepted origins', () => {
    const lines: string[] = []
    const inDevelopment = development(lines)
    for (let port = 1; port < 200; port += 1) {
      check('POST', { origin: `http://localhost:${port}` }, inDevelopment)
    }
    expect(lines).toHaveLength(20)
  })
})

describe('CORS', () => {
  const preflight = { 'access-control-request-method': 'POST' }

  it('lets pages of exactly the listed origins read responses', () => {
    for (const origin of ALLOWED) {
      expect(corsHeaders({ headers: { origin } }, ALLOWED)).toContainEqual([
        'Access-Control-Allow-Origin',
        origin,
      ])
      const request = { method: 'OPTIONS', headers: { origin, ...preflight } }
      expect(preflightHeaders(request, ['POST'], ALLOWED)).toContainEqual([
        'Access-Control-Allow-Methods',
        'POST',
      ])
    }
  })

  it.each([
    'https://auth.example.evil',
    'https://auth.example@evil',
    'https://auth.example:8443',
    'https://auth.exampl',
    'https://auth.example/',
    'https://auth.example ',
    'https://AUTH.example',
    'http://auth.example',
    'https://app.auth.example.evil',
    'https://evil.auth.example',
    'https://auth.example,https://evil.example',
    'null',
    '*',
    '',
  ])('lets no page of %j read a response', (origin) => {
    const names = corsHeaders({ headers: { origin } }, ALLOWED).map(([name]) => name)
    expect(names).toEqual(['Vary'])
    const request = { method: 'OPTIONS', headers: { origin, ...preflight } }
    expect(preflightHeaders(request, ['POST'], ALLOWED)).toBeUndefined()
  })
})
