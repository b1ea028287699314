import { expect, it } from 'vitest'
import { instant } from './instant.js'

const now = new Date('2026-03-01T12:00:00.000Z')

it.each([
  ['2026-03-01T12:00:30.000Z', 'in less than a minute'],
  ['2026-03-01T11:59:59.000Z', 'just now'],
  ['2026-03-01T12:59:59.000Z', 'in 59 minutes'],
  ['2026-03-02T11:59:59.000Z', 'in 23 hours'],
  ['2026-03-08T12:00:00.000Z', 'in 7 days'],
  ['2026-02-28T11:00:00.000Z', 'yesterday'],
])('%s is %s', (iso, words) => {
  expect(instant(iso, now).text).toContain(`<time datetime="${iso}">${words}</time>`)
})
