import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../../errors.js'
import { parseRedisUrls } from './redis-url.js'

describe('NETSCRIPT_AUTH_SESSION_STORE', () => {
  it.each([
    ['redis://localhost', false, ['redis://localhost']],
    ['redis://localhost:6379', false, ['redis://localhost:6379']],
    ['rediss://me:p%40ss@cache.example:6380/2', false, ['rediss://me:p%40ss@cache.example:6380/2']],
    ['redis://[::1]:6379/', false, ['redis://[::1]:6379/']],
    ['redis+cluster://c.example:7000', true, ['redis://c.example:7000']],
    ['rediss+cluster://:secret@c.example', true, ['rediss://:secret@c.example']],
    ['redis://a:7000, redis://b:7001', true, ['redis://a:7000', 'redis://b:7001']],
  ])('accepts %s', (text, cluster, urls) => {
    expect(parseRedisUrls(text)).toEqual({ cluster, urls })
  })

  it.each([
    ['', /must be redis:\/\//],
    ['localhost:6379', /must be redis:\/\//],
    ['http://localhost:6379', /must be redis:\/\//],
    ['redis://', /must be redis:\/\//],
    ['redis://a:7000,', /must be redis:\/\//],
    ['redis+sentinel://a:7000', /must be redis:\/\//],
    ['redis://localhost/sessions', /number of a database/],
    ['redis://localhost?db=1', /percent-encode/],
    ['redis://:se#cret@localhost', /percent-encode|must be/],
    ['redis://a:7000/1,redis://b:7000/1', /a cluster has only one/],
    ['redis+cluster://a:7000/1', /a cluster has only one/],
    ['redis://a:7000,rediss://b:7000', /one scheme/],
  ])('rejects "%s"', (text, message) => {
    expect(() => parseRedisUrls(text)).toThrow(AuthConfigurationError)
    expect(() => parseRedisUrls(text)).toThrow(/^NETSCRIPT_AUTH_SESSION_STORE /)
    expect(() => parseRedisUrls(text)).toThrow(message)
  })

  it('is never part of an error, because it may contain a password', () => {
    for (const text of ['redis://:secret@host/x', 'secret', 'redis://u:secret@h?x', 'x://secret']) {
      expect(() => parseRedisUrls(text)).toThrow(/^((?!secret).)*$/)
    }
  })
})
