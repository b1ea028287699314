import { html, type Html } from './html.js'

const DATE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/**
 * An instant in words, exact and relative: without a script the page cannot know the time zone of
 * the reader, so the exact one is in UTC.
 */
export function instant(iso: string, now: Date): Html {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return html`${iso}`
  return html`<time datetime="${iso}">${relative(date.getTime() - now.getTime())}</time>
    <span class="quiet">${DATE.format(date)} UTC</span>`
}

function relative(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    if (Math.abs(milliseconds) >= length) {
      return RELATIVE.format(Math.trunc(milliseconds / length), unit)
    }
  }
  return milliseconds < 0 ? 'just now' : 'in less than a minute'
}
