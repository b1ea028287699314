import { expect, it } from 'vitest'
import { deviceName, instant, relative } from './lists.js'

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'

it.each([
  [`Mozilla/5.0 (X11; Linux x86_64) ${CHROME}`, 'Chrome on Linux'],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${CHROME} Edg/130.0.0.0`,
    'Microsoft Edge on macOS',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
    'Safari on iOS',
  ],
  ['curl/8.5.0', 'curl/8.5.0'],
  ['x'.repeat(1000), 'x'.repeat(60)],
  ['', 'Unknown device'],
  [undefined, 'Unknown device'],
])('%j is %s', (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name)
})

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

it.each([
  [20 * SECOND, 'in less than a minute'],
  [-20 * SECOND, 'just now'],
  [0, 'just now'],
  [59 * MINUTE, 'in 59 minutes'],
  [DAY - SECOND, 'in 24 hours'],
  [DAY, 'in 24 hours'],
  [7 * DAY - SECOND, 'in 7 days'],
  [-HOUR + SECOND, '1 hour ago'],
  [-25 * HOUR, '25 hours ago'],
  [-3 * DAY, '3 days ago'],
])('rounds %d ms to %s', (milliseconds, words) => {
  expect(relative(milliseconds)).toBe(words)
})

it('shows the exact instant in UTC until a script replaces it', () => {
  const iso = '2026-03-02T11:59:59.000Z'
  const { text } = instant(iso, new Date('2026-03-01T12:00:00.000Z'))
  expect(text).toMatch(/^in 24 hours\s/)
  expect(text).toContain(`<time class="quiet" datetime="${iso}">2 March 2026 at 11:59 UTC</time>`)
})

it('shows what is not an instant as it is', () => {
  expect(instant('<never>', new Date()).text).toBe('&lt;never&gt;')
})
