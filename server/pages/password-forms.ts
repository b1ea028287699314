import { html, type Html, safeHref } from './html.js'

/** URLs to which the e-mail and password forms are posted. */
export interface PasswordForms {
  readonly signIn: string
  /** Absent when users cannot create accounts. */
  readonly signUp?: string
}

/** The forms to sign in and to create an account. They work without a script. */
export function passwordForms({ signIn, signUp }: PasswordForms, redirectTo?: string): Html {
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
