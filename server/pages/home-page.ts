import type { AuthSession, AuthUser, LinkedAccount, SessionSummary } from '@netscript/auth-contract'
import type { CookieOptions, Request, Response } from 'express'
import { html, type Html, safeHref } from './html.js'
import { instant } from './instant.js'
import { layout, portrait } from './layout.js'
import { pageScript } from './asset.js'
import { type PasswordForms, passwordForms } from './password-forms.js'
import { accountList } from './account-list.js'
import { sessionList } from './session-list.js'

/** What the page says about the local provider. */
export interface DemoNotice {
  /** Its issuer URL. */
  readonly issuer: string
  /** Accounts that can sign in there without a password. */
  readonly accounts: readonly { readonly name: string; readonly email?: string | undefined }[]
}

/** Options of {@link homePage}. */
export interface HomePageOptions {
  /** The providers, in the order of their buttons. */
  providers: readonly { readonly id: string; readonly displayName: string }[]
  /** The provider last used in this browser. */
  lastProviderId?: string
  /** Where the sign-in leads; validated. @default the front page */
  redirectTo?: string
  /** Whether the backend has a redirect sign-in. */
  interactive: boolean
  /** Where users sign in otherwise: a URL or a path; plain text is not shown. */
  signInHint?: string
  /** The backend's e-mail and password forms; absent when it has none. */
  passwordForms?: PasswordForms
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
  /** Present when the local provider runs. */
  demo?: DemoNotice
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

/** The ways to sign in. */
export function signedOut(
  options: Omit<HomePageOptions, 'docsEnabled' | 'user' | 'session' | 'sessions' | 'accounts'>,
): Html {
  const { providers, interactive, signInHint, demo, lastProviderId, redirectTo } = options
  const used = providers.length > 1 ? lastProviderId : undefined
  if (options.passwordForms) return passwordForms(options.passwordForms, redirectTo)
  if (!interactive) {
    return html`<h1>You are not signed in</h1>
      ${signInLink(signInHint)}`
  }
  if (providers.length === 0) {
    return html`<h1>You are not signed in</h1>
      <p class="quiet">No provider is configured, so you cannot sign in here.</p>`
  }
  return html`<h1>Sign in</h1>
    <p class="lead">
      ${
        providers.length > 1
          ? 'Choose who should confirm that it is you.'
          : 'You will confirm that it is you at your provider, and then come back.'
      }
    </p>
    <div class="actions">
      ${providers.map((provider, at) =>
        signInButton(provider, {
          isLast: provider.id === used,
          isPrimary: used === undefined ? at === 0 : provider.id === used,
          redirectTo,
        }),
      )}
    </div>
    ${demo && demoNotice(demo)}`
}

function signInButton(
  { id, displayName }: { id: string; displayName: string },
  {
    isPrimary,
    isLast,
    redirectTo,
  }: { isPrimary: boolean; isLast: boolean; redirectTo: string | undefined },
): Html {
  return html`<form method="post" action="/api/v1/auth/signin">
    <input type="hidden" name="providerId" value="${id}" />
    ${redirectTo !== undefined && html`<input type="hidden" name="redirectTo" value="${redirectTo}" />`}
    <button class="button${isPrimary && ' primary'}">
      <span
        >Continue with <bdi>${displayName}</bdi>${isLast && html` <small>Last used</small>`}</span
      >
    </button>
  </form>`
}

/** A hint in plain text is for developers. */
function signInLink(signInHint = ''): Html {
  if (!/^(https?:\/\/|\/)/.test(signInHint)) {
    return html`<p class="lead">Open your application and sign in there.</p>`
  }
  return html`<p class="lead">You sign in on another page.</p>
    <a class="button primary" href="${safeHref(signInHint)}">Go to sign-in</a>`
}

function demoNotice({ accounts, issuer }: DemoNotice): Html {
  return html`<section class="notice after" aria-labelledby="demo">
    <h2 id="demo">For trying it out</h2>
    <p>The local provider at <code>${issuer}</code> needs no password. It knows</p>
    <ul>
      ${accounts.map(
        ({ name, email }) =>
          html`<li><bdi>${name}</bdi>${email !== undefined && html`, <bdi>${email}</bdi>`}</li> `,
      )}
    </ul>
  </section>`
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
