import { html, type Html } from './html.js'

const DATE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'always' })
/** Units with the count from which the next larger one is used: "in 24 hours" rather than "in 1 day". */
const UNITS = [
  ['minute', 60_000, 60],
  ['hour', 3_600_000, 48],
  ['day', 86_400_000, Infinity],
] as const

/**
 * Renders a time relatively and exactly. The exact time is in UTC until the page's script converts it to
 * the browser's time zone.
 */
export function instant(iso: string, now: Date): Html {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return html`${iso}`
  return html`${relative(date.getTime() - now.getTime())}
    <time class="quiet" datetime="${iso}">${DATE.format(date)} UTC</time>`
}

/** Formats a time difference such as `3 hours ago`, rounded to the nearest unit. */
export function relative(milliseconds: number): string {
  if (Math.abs(milliseconds) < 30_000)
    return milliseconds <= 0 ? 'just now' : 'in less than a minute'
  for (const [unit, length, most] of UNITS) {
    const count = Math.round(milliseconds / length)
    if (Math.abs(count) < most) return RELATIVE.format(count, unit)
  }
  return ''
}
