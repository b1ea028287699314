import type { LinkedAccount, SessionSummary } from '@netscript/auth-contract'
import Bowser from 'bowser'
import { html, type Html } from './html.js'

/**
 * Renders the user's sessions: the current one first, then by last use. The page's script shows the
 * buttons, since a form cannot send DELETE.
 */
export function sessionList(
  sessions: readonly SessionSummary[],
  now: Date,
  { hasMore }: { hasMore: boolean },
): Html {
  const others = sessions.some(({ current }) => !current)
  return html`<section aria-labelledby="sessions">
    <h2 id="sessions">Where you are signed in</h2>
    <ul class="sessions">
      ${[...sessions].sort(byUse).map((summary) => sessionItem(summary, now))}
    </ul>
    ${hasMore && html`<p class="quiet">Only the newest sessions are shown.</p>`}
    ${others && html`<button type="button" class="button" data-revoke="others" hidden>Sign out on other devices</button>`}
  </section>`
}

const lastUse = ({ session }: SessionSummary): string => session.refreshedAt ?? session.issuedAt

function byUse(one: SessionSummary, other: SessionSummary): number {
  if (one.current !== other.current) return one.current ? -1 : 1
  return lastUse(other).localeCompare(lastUse(one))
}

function sessionItem(summary: SessionSummary, now: Date): Html {
  const { session, current, userAgent } = summary
  const device = deviceName(userAgent)
  const used = relative(new Date(lastUse(summary)).getTime() - now.getTime())
  return html`<li>
    <div>
      <strong><bdi>${device}</bdi></strong> ${current && html`<span class="badge">This one</span>`}
      ${!current && html`<span class="quiet">Last used ${used}</span>`}
      <span class="quiet">Signed in ${instant(session.issuedAt, now)}</span>
    </div>
    ${!current && html`<button type="button" class="button small" data-revoke="${session.id}" aria-label="Sign out ${device}" hidden>Sign out</button>`}
  </li>`
}

/** Describes a browser and its system, such as `Chrome on Linux`, from its User-Agent. */
export function deviceName(userAgent: string | undefined): string {
  if (!userAgent) return 'Unknown device'
  const { browser, os } = Bowser.parse(userAgent)
  const words = [browser.name, os.name && `on ${os.name}`].filter(Boolean)
  return words.length > 0 ? words.join(' ') : userAgent.slice(0, MAX_DEVICE_LENGTH)
}

/** Maximum length of an unrecognized User-Agent, which may be kilobytes long. */
const MAX_DEVICE_LENGTH = 60

interface Provider {
  readonly id: string
  readonly displayName: string
}

/**
 * Renders the user's accounts, and a form for each provider without one. The page's script shows the
 * buttons that remove an account, since a form cannot send DELETE. Absent if the user has no choice.
 */
export function accountList(
  accounts: readonly LinkedAccount[],
  providers: readonly Provider[],
  now: Date,
): Html | undefined {
  const unlinked = providers.filter(({ id }) => !accounts.some((one) => one.providerId === id))
  if (accounts.length < 2 && unlinked.length === 0) return undefined
  const nameOf = (providerId: string): string =>
    providers.find(({ id }) => id === providerId)?.displayName ?? providerId
  return html`<section aria-labelledby="accounts">
    <h2 id="accounts">How you can sign in</h2>
    <ul class="sessions">
      ${accounts.map((account) => accountItem(account, nameOf(account.providerId), accounts.length, now))}
    </ul>
    ${unlinked.length > 0 && html`<div class="actions">${unlinked.map(linkForm)}</div>`}
  </section>`
}

function accountItem(account: LinkedAccount, name: string, count: number, now: Date): Html {
  const { id, current, lastSignInAt } = account
  return html`<li>
    <div>
      <strong><bdi>${name}</bdi></strong>
      ${current && html`<span class="badge">Signed in with it</span>`}
      <span class="quiet">Last sign-in ${instant(lastSignInAt, now)}</span>
    </div>
    ${count > 1 && html`<button type="button" class="button small" data-unlink="${id}" aria-label="Remove ${name}" hidden>Remove</button>`}
  </li>`
}

function linkForm({ id, displayName }: Provider): Html {
  return html`<form method="post" action="/api/v1/auth/signin" data-link="${id}">
    <input type="hidden" name="providerId" value="${id}" />
    <input type="hidden" name="link" value="true" />
    <button class="button">
      <span>Add <bdi>${displayName}</bdi></span>
    </button>
  </form>`
}

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
