import type { SessionSummary } from '@netscript/auth-contract'
import Bowser from 'bowser'
import { html, type Html } from './html.js'
import { instant, relative } from './instant.js'

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
      ${[...sessions].sort(byUse).map((summary) => item(summary, now))}
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

function item(summary: SessionSummary, now: Date): Html {
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
  return words.length > 0 ? words.join(' ') : userAgent.slice(0, MAX)
}

/** Maximum length of an unrecognized User-Agent, which may be kilobytes long. */
const MAX = 60
