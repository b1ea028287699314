import type { LinkedAccount } from '@netscript/auth-contract'
import { html, type Html } from './html.js'
import { instant } from './instant.js'

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
      ${accounts.map((account) => item(account, nameOf(account.providerId), accounts.length, now))}
    </ul>
    ${unlinked.length > 0 && html`<div class="actions">${unlinked.map(linkForm)}</div>`}
  </section>`
}

function item(account: LinkedAccount, name: string, count: number, now: Date): Html {
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
