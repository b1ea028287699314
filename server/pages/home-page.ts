import type { AuthSession, AuthUser, LinkedAccount, SessionSummary } from '@netscript/auth-contract'
import type { CookieOptions, Request, Response } from 'express'
import { html, type Html } from './html.js'
import { accountList, instant, sessionList } from './lists.js'
import { layout, portrait } from './layout.js'
import { pageScript } from './assets.js'
import { signedOut, type SignInOptions } from './sign-in-page.js'

/** Options of {@link homePage}. */
export interface HomePageOptions extends SignInOptions {
  /** The signed-in user; shown together with `session`. */
  user?: AuthUser
  session?: AuthSession
  /** The user's newest sessions; absent when the backend cannot list them. */
  sessions?: readonly SessionSummary[]
  /** Whether the user has more sessions than these. */
  hasMoreSessions?: boolean
  /** The user's accounts; absent when the backend links none. */
  accounts?: readonly LinkedAccount[]
  /** Whether users can export and delete what is stored about them. @default false */
  selfService?: boolean
  /** Whether the page links to developer pages such as /docs. */
  docsEnabled: boolean
  /** One sentence above everything else, such as why a sign-in failed. */
  notice?: string
  /** Default: the current time. */
  now?: Date
}

/** Renders the page at `/`: the signed-in user, and the buttons to sign in and out. */
export function homePage(options: HomePageOptions): string {
  const { user, session, notice } = options
  const person = user && session ? signedIn({ ...options, user, session }) : undefined
  return layout({
    title: person ? 'Your session' : 'Sign in',
    script: { href: pageScript.href, sessionId: person && session?.id },
    main: html`${notice !== undefined && html`<p class="notice" role="status">${notice}</p>`}
      ${person ?? signedOut(options)}
      <p id="status" class="notice after" role="status" tabindex="-1" hidden></p>`,
    ...(options.docsEnabled && { footer: LINKS }),
  })
}

function signedIn({
  user,
  session,
  providers,
  sessions,
  hasMoreSessions = false,
  accounts,
  selfService = false,
  now = new Date(),
}: HomePageOptions & { user: AuthUser; session: AuthSession }): Html {
  const name = user.displayName ?? user.email ?? 'You are signed in'
  const known = providers.find(({ id }) => id === session.providerId)
  const provider = known?.displayName ?? session.providerId
  return html`<div class="person">
      ${portrait(user.displayName ?? user.email ?? '')}
      <div>
        <h1><bdi>${name}</bdi></h1>
        ${email(user, name)}
      </div>
    </div>
    <dl>
      ${provider !== undefined && row('Provider', html`<bdi>${provider}</bdi>`)}
      ${row('Signed in', instant(session.issuedAt, now))}
      ${row('Session ends', instant(session.expiresAt, now))}
      ${session.roles.length > 0 && row('Roles', session.roles.join(', '))}
    </dl>
    <form class="actions" method="post" action="/api/v1/auth/signout">
      <button class="button">Sign out</button>
      <button class="button plain" name="everywhere" value="true">Sign out on all devices</button>
    </form>
    ${accounts && accountList(accounts, providers, now)}
    ${sessions && sessionList(sessions, now, { hasMore: hasMoreSessions })}
    ${selfService && YOUR_DATA}`
}

const YOUR_DATA = html`<section aria-labelledby="data">
  <h2 id="data">Your data</h2>
  <p><a href="/api/v1/auth/user" download="my-data.json">Download what is stored about you</a></p>
  <details class="confirm">
    <summary>Delete your account</summary>
    <p>
      You are signed out on all devices, and what is stored about you here is deleted. This cannot
      be undone.
    </p>
    <button class="button" type="button" data-delete-user hidden>Delete my account</button>
    <noscript><p>Switch on JavaScript to do this.</p></noscript>
  </details>
</section>`

function email({ email, emailVerified }: AuthUser, name: string): Html {
  if (email === undefined) return html`<p class="quiet">No e-mail address</p>`
  const state = emailVerified === undefined ? '' : emailVerified ? 'verified' : 'not verified'
  if (email === name) return html`<p class="quiet">${state}</p>`
  return html`<p class="quiet"><bdi>${email}</bdi>${state && ` (${state})`}</p>`
}

function row(term: string, description: string | Html): Html {
  return html`<div>
    <dt>${term}</dt>
    <dd>${description}</dd>
  </div> `
}

const LINKS = html`<nav aria-label="For developers">
  <ul>
    <li><a href="/docs">API documentation</a></li>
    <li><a href="/openapi.json">OpenAPI document</a></li>
    <li><a href="/health/ready">Health</a></li>
  </ul>
</nav>`

const NAME = 'ns_provider'
const YEAR_MS = 365 * 24 * 3600 * 1000

/**
 * The provider that this browser last signed in with. Only a hint for the page: anyone can set the
 * cookie. Needs cookie-parser, whose `j:` values match no id.
 */
export function lastProvider({ cookies }: Request, ids: readonly string[]): string | undefined {
  const value: unknown = (cookies as Record<string, unknown>)[NAME]
  return ids.find((id) => id === value)
}

/** Remembers the provider for a year. */
export function rememberProvider(res: Response, id: string, origin: string): void {
  const options: CookieOptions = {
    httpOnly: true,
    maxAge: YEAR_MS,
    path: '/',
    sameSite: 'lax',
    secure: origin.startsWith('https:'),
  }
  res.cookie(NAME, id, options)
}
