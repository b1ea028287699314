import { describe, expect, it } from 'vitest'
import { contractRoute, siteRoute } from './route-name.js'

describe('the name of a route', () => {
  it.each([
    ['GET', '/api/v1/auth/me', 'me'],
    ['HEAD', '/api/v1/auth/session', 'session'],
    ['POST', '/api/v1/auth/signin', 'signin'],
    ['GET', '/api/v1/auth/sessions', 'sessions'],
    ['DELETE', '/api/v1/auth/sessions', 'revokeSessions'],
    ['DELETE', '/api/v1/auth/sessions/0b0c9a3e', 'revokeSession'],
    ['GET', '/api/v1/auth/sessions/0b0c9a3e', 'none'],
    ['DELETE', '/api/v1/auth/sessions/a/b', 'none'],
    ['POST', '/api/v1/auth/me', 'none'],
    ['GET', '/api/v1/auth/0b0c9a3e', 'none'],
  ])('%s %s is %s', (method, path, name) => {
    expect(contractRoute(method, path)).toBe(name)
  })

  it.each([
    ['/', 'home'],
    ['/docs', 'docs'],
    ['/docs/swagger-ui.css', 'docs'],
    ['/openapi.json', 'docs'],
    ['/api/auth/sign-in/email', 'backend'],
    ['/api/authentic', 'none'],
    ['/0b0c9a3e', 'none'],
  ])('%s beside the API is %s', (path, name) => {
    expect(siteRoute('/api/auth')('GET', path)).toBe(name)
  })
})
