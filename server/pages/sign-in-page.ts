import type { AuthnRequest } from '@netscript/plugin-auth-core'
import type { PasswordForms } from '../backends.js'
import type { HandlerContext } from '../handlers/context.js'
import { stillAllowed } from '../handlers/sign-in.js'
import { ok, type Reply } from '../engine/message.js'
import { html, type Html, safeHref } from './html.js'
import { layout } from './layout.js'

/** What the page says about the local provider. */
export interface DemoNotice {
  /** Its issuer URL. */
  readonly issuer: string
  /** Accounts that can sign in there without a password. */
  readonly accounts: readonly { readonly name: string; readonly email?: string | undefined }[]
}

/** Options of {@link signedOut}. */
export interface SignInOptions {
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
  /** Present when the local provider runs. */
  demo?: DemoNotice
}

/**
 * The sign-in page for applications behind a reverse proxy. Its buttons post to the service: a GET never
 * starts a sign-in.
 */
export async function signInPage(
  context: HandlerContext,
  request: AuthnRequest,
  {
    redirectTo,
    passwordForms,
  }: { redirectTo: string | undefined; passwordForms: PasswordForms | undefined },
): Promise<Reply<200, string>> {
  const { backend, returnTo } = context
  const target = redirectTo === undefined ? returnTo.default : stillAllowed(context, redirectTo)
  const { ok: isSignedIn, setCookies } = await backend.authenticate(request)
  const main = isSignedIn
    ? continueTo(target)
    : signedOut({
        redirectTo: target,
        providers: backend.providers.listProviders(),
        interactive: backend.interactive !== undefined,
        ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
        ...(passwordForms && { passwordForms }),
      })
  return ok(layout({ title: isSignedIn ? 'You are signed in' : 'Sign in', main }), setCookies)
}

/** A link, since a redirect would loop at a proxy that refuses the session. */
const continueTo = (target: string): Html =>
  html`<h1>You are signed in</h1>
    <a class="button primary" href="${safeHref(target)}">Continue</a>`

/** The ways to sign in. */
export function signedOut(options: SignInOptions): Html {
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

/** The forms to sign in and to create an account. They work without a script. */
function passwordForms({ signIn, signUp }: PasswordForms, redirectTo?: string): Html {
  const target =
    redirectTo !== undefined &&
    html`<input type="hidden" name="callbackURL" value="${redirectTo}" />`
  return html`<h1>Sign in</h1>
    <form method="post" action="${safeHref(signIn)}">
      ${target}
      <p>
        <label>E-mail <input type="email" name="email" autocomplete="username" required /></label>
      </p>
      <p>
        <label
          >Password <input type="password" name="password" autocomplete="current-password" required
        /></label>
      </p>
      <button class="button primary">Sign in</button>
    </form>
    ${
      signUp !== undefined &&
      html`<h2>Create an account</h2>
        <form method="post" action="${safeHref(signUp)}">
          ${target}
          <p>
            <label>Name <input name="name" autocomplete="name" required /></label>
          </p>
          <p>
            <label>E-mail <input type="email" name="email" autocomplete="email" required /></label>
          </p>
          <p>
            <label
              >Password
              <input
                type="password"
                name="password"
                autocomplete="new-password"
                minlength="8"
                required
            /></label>
          </p>
          <button class="button">Create account</button>
        </form>`
    }`
}

const NOTICES: Readonly<Record<string, string>> = {
  INVALID_EMAIL_OR_PASSWORD: 'The e-mail address or the password is wrong.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'This e-mail address has an account. Sign in instead.',
  PASSWORD_TOO_SHORT: 'The password is too short.',
  AUTH_USER_DISABLED: 'This account is disabled.',
  RATE_LIMITED: 'Too many attempts. Try again in a minute.',
}

/** The page's notice after a form failed with `code`. */
export const passwordNotice = (code: string): string =>
  (Object.hasOwn(NOTICES, code) && NOTICES[code]) || 'The sign-in did not work. Try again.'
