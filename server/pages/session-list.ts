import type { SessionSummary } from '../../contract/sessions.js'
import { deviceName } from './device.js'
import { html, type Html } from './html.js'
import { instant } from './instant.js'

/**
 * Where somebody is signed in. The buttons are for the script of the page to show: a form cannot
 * send DELETE.
 */
export function sessionList(sessions: readonly SessionSummary[], now: Date): Html {
  const others = sessions.some(({ current }) => !current)
  return html`<section aria-labelledby="sessions">
    <h2 id="sessions">Where you are signed in</h2>
    <ul class="sessions">
      ${sessions.map((summary) => item(summary, now))}
    </ul>
    ${others && html`<button type="button" class="button" data-revoke="others" hidden>Sign out on other devices</button>`}
  </section>`
}

function item({ session, current, userAgent }: SessionSummary, now: Date): Html {
  const device = deviceName(userAgent)
  return html`<li>
    <div>
      <strong><bdi>${device}</bdi></strong> ${current && html`<span class="badge">This one</span>`}
      <span class="quiet">Signed in ${instant(session.issuedAt, now)}</span>
    </div>
    ${!current && html`<button type="button" class="button small" data-revoke="${session.id}" aria-label="Sign out ${device}" hidden>Sign out</button>`}
  </li>`
}
