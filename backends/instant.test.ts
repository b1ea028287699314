import { expect, it } from 'vitest'
import { AuthSession } from '../contract/session.js'
import { isoInstant } from './instant.js'

const FIRST = '1970-01-01T00:00:00.000Z'
const LAST = '9999-12-31T23:59:59.999Z'

it.each([
  [1_767_225_600_000, '2026-01-01T00:00:00.000Z'],
  [1_767_225_600_000.75, '2026-01-01T00:00:00.000Z'],
  [Date.UTC(9999, 11, 31, 23, 59, 59, 999), LAST],
  [Date.UTC(10_000, 0, 1), LAST],
  [8.64e15, LAST],
  [1e300, LAST],
  [Infinity, LAST],
  [-1, FIRST],
  [-Infinity, FIRST],
  [NaN, FIRST],
])('isoInstant(%d) is a valid instant of the contract', (ms, expected) => {
  expect(isoInstant(ms)).toBe(expected)
  expect(AuthSession.shape.issuedAt.parse(isoInstant(ms))).toBe(expected)
})
