import { describe, expect, it } from 'vitest'
import { createRouteFinder } from './routes.js'

const endpoint = (path: string | undefined, method?: string | string[], metadata?: object) =>
  Object.assign(() => undefined, { path, options: { method, metadata } })

const api = {
  error: endpoint('/error', 'GET'),
  reset: endpoint('/reset-password', 'POST'),
  resetLink: endpoint('/reset-password/:token', 'GET'),
  callback: endpoint('/callback/:id', ['GET', 'POST']),
  any: endpoint('/any', '*'),
  files: endpoint('/files/**:rest', 'GET'),
  dotted: endpoint('/.well-known/jwks.json', 'GET'),
  secret: endpoint('/secret', 'POST', { SERVER_ONLY: true }),
  unrouted: endpoint(undefined, 'POST'),
}

describe('createRouteFinder', () => {
  const find = createRouteFinder({ api, options: {} })

  it.each([
    ['GET', '/error', '/error'],
    ['GET', '/reset-password/abc', '/reset-password/:token'],
    ['POST', '/reset-password', '/reset-password'],
    ['POST', '/callback/github', '/callback/:id'],
    ['DELETE', '/any', '/any'],
    ['GET', '/files/a/b', '/files/**:rest'],
    ['GET', '/.well-known/jwks.json', '/.well-known/jwks.json'],
    [undefined, '/reset-password/abc', '/reset-password/:token'],
    ['POST', '/error', undefined],
    ['get', '/error', undefined],
    ['GET', '/error/', undefined],
    ['GET', '//error', undefined],
    ['GET', '/reset-password/', undefined],
    ['GET', '/reset-password/a/b', undefined],
    ['GET', '/xwell-known/jwks.json', undefined],
    ['POST', '/secret', undefined],
    ['GET', '/', undefined],
    ['GET', `/reset-password/${'x'.repeat(300)}`, undefined],
  ])('%s %s is %s', (method, path, route) => {
    expect(find(path, method)).toBe(route)
  })

  it('accepts a trailing slash like better-auth', () => {
    const lenient = createRouteFinder({ api, options: { advanced: { skipTrailingSlashes: true } } })
    expect(lenient('/error/', 'GET')).toBe('/error')
    expect(lenient('/error//', 'GET')).toBeUndefined()
  })
})
