import { describe, expect, it } from 'vitest'
import { createProxyTrust, type TrustProxy } from './client-address.js'

describe('a proxy that may set X-Forwarded-*', () => {
  it.each<[string, TrustProxy, string | undefined, boolean]>([
    ['none', false, '127.0.0.1', false],
    ['no hops', 0, '127.0.0.1', false],
    ['one hop', 1, '203.0.113.7', true],
    ['loopback', 'loopback', '127.0.0.1', true],
    ['loopback over IPv6', 'loopback', '::1', true],
    ['a mapped address', 'loopback', '::ffff:127.0.0.1', true],
    ['a peer elsewhere', 'loopback', '203.0.113.7', false],
    ['one of a list', '192.0.2.1, 10.0.0.0/8', '10.1.2.3', true],
    ['an unknown peer of a list', 'loopback', undefined, false],
    ['an unknown peer of a number', 1, undefined, false],
  ])('is recognized by its address: %s', (_name, trustProxy, peerAddress, expected) => {
    expect(createProxyTrust(trustProxy)({ peerAddress })).toBe(expected)
  })
})
