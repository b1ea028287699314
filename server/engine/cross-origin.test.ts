import { describe, expect, it } from 'vitest'
import { isAuthError } from '../../backends/errors.js'
import { checkOrigin, corsHeaders, preflightHeaders } from './cross-origin.js'

const ALLOWED = new Set(['https://auth.example', 'https://app.auth.example'])

function outcome(method: string, headers: Record<string, string>, path = '/'): string {
  try {
    checkOrigin({ method, headers }, path, ALLOWED)
    return 'passed'
  } catch (error) {
    return isAuthError(error) ? error.code : 'thrown'
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe('originCheck', () => {
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
    ['no origin, typed by the person', { 'sec-fetch-site': 'none', ...FORM }, 'passed'],
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

  it('exempts back-channel log-out by its exact path, and nothing else', () => {
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
