import { describe, expect, it } from 'vitest'
import { CLOCK_TOLERANCE_SECONDS } from '../../../backends/kv-oauth/configuration.js'
import { clockFinding, dateOf, skewSeconds } from './clock.js'

describe('skewSeconds', () => {
  const exchange = { sentAt: 10_000, receivedAt: 12_000 }
  it.each([
    ['as asked', 10_000, 1, 0],
    ['as answered', 12_000, 1, 0],
    ['a second later', 13_000, 1, 1],
    ['a second earlier', 9_000, 1, -0.999],
    ['in the second in which it was asked', 9_001, 1000, 0],
    ['in the second before', 8_000, 1000, -1],
  ])('is the lower bound: %s', (_when, theirs, resolution, expected) => {
    expect(skewSeconds(exchange, theirs, resolution)).toBeCloseTo(expected, 3)
  })
})

describe('dateOf', () => {
  it('adds the Age of a cached response', () => {
    const date = 'Tue, 24 Nov 2026 10:00:00 GMT'
    expect(dateOf(new Headers({ date }))).toBe(Date.parse(date))
    expect(dateOf(new Headers({ date, age: '60' }))).toBe(Date.parse(date) + 60_000)
    expect(dateOf(new Headers({ date, age: 'old' }))).toBe(Date.parse(date))
    expect(dateOf(new Headers({ date: 'today' }))).toBeUndefined()
    expect(dateOf(new Headers())).toBeUndefined()
  })
})

describe('clockFinding', () => {
  it.each([
    [0, 'ok'],
    [5, 'ok'],
    [-5.1, 'warn'],
    [CLOCK_TOLERANCE_SECONDS, 'warn'],
    [-CLOCK_TOLERANCE_SECONDS - 1, 'fail'],
  ] as const)('rates %d seconds', (skew, status) => {
    expect(clockFinding('CLOCK', 'google', skew).status).toBe(status)
  })

  it('says in which direction', () => {
    expect(clockFinding('CLOCK', 'google', 40).message).toMatch(/google is 40 s ahead of this/)
    expect(clockFinding('CLOCK', 'google', -40).message).toMatch(/google is 40 s behind this/)
  })
})
