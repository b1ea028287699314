import { describe, expect, it } from 'vitest'
import { readVariables } from './variables.js'

function read(name: 'NETSCRIPT_AUTH_TRUST_PROXY' | 'NETSCRIPT_AUTH_RATE_LIMIT', value?: string) {
  const result = readVariables({ [name]: value })
  return result.ok ? result.variables[name] : result.issues
}

describe('NETSCRIPT_AUTH_TRUST_PROXY', () => {
  it.each([
    [undefined, undefined],
    ['false', false],
    ['0', 0],
    ['2', 2],
    ['loopback', 'loopback'],
    ['loopback, 10.0.0.0/8 2001:db8::/32', 'loopback,10.0.0.0/8,2001:db8::/32'],
    ['linklocal,uniquelocal,192.0.2.1', 'linklocal,uniquelocal,192.0.2.1'],
  ])('takes %s', (value, expected) => {
    expect(read('NETSCRIPT_AUTH_TRUST_PROXY', value)).toBe(expected)
  })

  it.each([
    ['true', /^true would trust every client.*number of proxies.*addresses/],
    ['yes', /"yes" is no proxy.*number of proxies/],
    ['-1', /"-1"/],
    ['1.5', /"1.5"/],
    ['100', /"100"/],
    [',', /","/],
    ['loopback,proxy.example', /"proxy.example"/],
    ['10.0.0.0/33', /"10.0.0.0\/33"/],
    ['10.0.0.0/', /"10.0.0.0\/"/],
    ['10.0.0.0/8/8', /"10.0.0.0\/8\/8"/],
    ['0.0.0.0/0', /"0.0.0.0\/0"/],
    ['::/0', /"::\/0"/],
    ['loopback/8', /"loopback\/8"/],
    ['fe80::1%eth0', /"fe80::1%eth0"/],
  ])('refuses %s', (value, message) => {
    expect(read('NETSCRIPT_AUTH_TRUST_PROXY', value)).toEqual([
      {
        variable: 'NETSCRIPT_AUTH_TRUST_PROXY',
        message: expect.stringMatching(message),
      },
    ])
  })
})

describe.each(['NETSCRIPT_AUTH_HOST', 'NETSCRIPT_AUTH_METRICS_HOST'] as const)('%s', (name) => {
  const readHost = (value: string) => {
    const result = readVariables({ [name]: value })
    return result.ok ? result.variables[name] : result.issues
  }

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['[::]', '::'],
    ['[::1]', '::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[fe80::1%eth0]', 'fe80::1%eth0'],
    [' localhost ', 'localhost'],
    ['auth-1.internal', 'auth-1.internal'],
    ['LOCALHOST', 'LOCALHOST'],
  ])('takes %s as %s', (value, expected) => {
    expect(readHost(value)).toBe(expected)
  })

  it.each([
    '[127.0.0.1]',
    '[::',
    '::1]',
    '[]',
    '[::]:8094',
    'localhost:8094',
    '127.0.0.1:8094',
    'http://localhost',
    '*',
    '256.1.1.1',
    '127.1',
    '10.0.0.0/8',
    '-host',
    'a..b',
    'two hosts',
  ])('refuses %s, and shows how to write it', (value) => {
    expect(readHost(value)).toEqual([
      {
        variable: name,
        message: expect.stringMatching(/write it like 127\.0\.0\.1, 0\.0\.0\.0, ::/),
      },
    ])
  })
})

describe('NETSCRIPT_AUTH_RATE_LIMIT', () => {
  it('is 120 unless set', () => {
    expect(read('NETSCRIPT_AUTH_RATE_LIMIT')).toBe(120)
    expect(read('NETSCRIPT_AUTH_RATE_LIMIT', '5')).toBe(5)
  })

  it.each(['0', '-1', '1.5', 'many', 'Infinity'])('refuses %s', (value) => {
    expect(read('NETSCRIPT_AUTH_RATE_LIMIT', value)).toMatchObject([
      { variable: 'NETSCRIPT_AUTH_RATE_LIMIT' },
    ])
  })
})
