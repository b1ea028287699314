import { html, type Html, safeHref, trusted } from '../pages/html.js'
import { initials, layout, portrait } from '../pages/layout.js'
import type { DemoAccount } from './demo-accounts.js'

const BRAND = 'Local provider'
const FOOTER = html`<p class="quiet">
  For development. Only this machine can reach this provider.
</p>`

function page(title: string, main: Html): string {
  return layout({ title, brand: BRAND, main, footer: FOOTER })
}

/** Page to choose an account with one click and no password. The account of a login_hint comes first. */
export function loginPage(options: {
  action: string
  client: string
  accounts: readonly DemoAccount[]
  loginHint?: string | undefined
}): string {
  const { action, client, accounts, loginHint } = options
  const isHinted = ({ id, email }: DemoAccount): boolean =>
    loginHint !== undefined && [id, email].includes(loginHint)
  const ordered = [...accounts].sort((a, b) => Number(isHinted(b)) - Number(isHinted(a)))
  return page(
    'Choose an account',
    html`<h1>Choose an account</h1>
      <p class="lead">to continue to <bdi>${client}</bdi>. No password is needed.</p>
      <form class="actions" method="post" action="${action}">
        ${ordered.map((account) => accountButton(account))}
        <button class="button plain" name="decision" value="deny">Cancel</button>
      </form>`,
  )
}

function accountButton({ id, name, email }: DemoAccount): Html {
  return html`<button class="button account" name="accountId" value="${id}">
    ${portrait(name)}
    <span>
      <bdi>${name}</bdi>
      <bdi class="quiet">${email ?? 'No e-mail address'}</bdi>
    </span>
  </button> `
}

const SCOPE_WORDS: Record<string, string | undefined> = {
  openid: 'who you are here',
  profile: 'your name, picture and language',
  email: 'your e-mail address',
  offline_access: 'all of it also later, without asking you again',
}

/** Page to grant or deny the client's request. */
export function consentPage(options: {
  action: string
  client: string
  account: DemoAccount
  scopes: readonly string[]
  switchHref: string
}): string {
  const { action, client, account, scopes, switchHref } = options
  return page(
    'Allow access',
    html`<div class="person">
        ${portrait(account.name)}
        <div>
          <h1>Continue as <bdi>${account.name}</bdi>?</h1>
          <p class="quiet"><a href="${safeHref(switchHref)}">Use another account</a></p>
        </div>
      </div>
      <p><bdi>${client}</bdi> asks to see</p>
      <ul>
        ${scopes.map((scope) => html`<li>${SCOPE_WORDS[scope] ?? scope}</li> `)}
      </ul>
      <form class="actions after" method="post" action="${action}">
        <button class="button primary" name="decision" value="allow">Allow</button>
        <button class="button" name="decision" value="deny">Do not allow</button>
      </form>`,
  )
}

/**
 * Page that asks whether to sign out at the provider too. `form` is the library's form with its CSRF
 * token.
 */
export function logoutPage(form: string, client: string): string {
  return page(
    'Sign out',
    html`<h1>Sign out here too?</h1>
      <p class="lead">
        Otherwise the next sign-in to <bdi>${client}</bdi> will not ask who you are.
      </p>
      ${trusted(form)}
      <div class="actions">
        <button class="button primary" form="op.logoutForm" name="logout" value="yes">
          Sign out
        </button>
        <button class="button" form="op.logoutForm">Stay signed in here</button>
      </div>`,
  )
}

/** Page after a sign-out without a return target, and at `/`. */
export function messagePage(options: {
  title: string
  text: string
  link?: { href: string; label: string }
}): string {
  const { title, text, link } = options
  return page(
    title,
    html`<h1>${title}</h1>
      <p class="lead">${text}</p>
      ${link && html`<a class="button primary" href="${safeHref(link.href)}">${link.label}</a>`}`,
  )
}

/** The picture of an account: its initials on a tint. */
export function pictureSvg({ name }: DemoAccount): string {
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96">
    <rect width="96" height="96" fill="#eef1fb" />
    <text
      x="48"
      y="60"
      text-anchor="middle"
      font-family="system-ui, sans-serif"
      font-size="34"
      font-weight="600"
      fill="#2f4ac0"
    >
      ${initials(name)}
    </text>
  </svg>`.text
}
