import { AUTH_ERRORS, type AuthErrorCode } from '@netscript/auth-contract'
import { AuthBackendOperationUnsupportedError, type AuthError } from '@netscript/plugin-auth-core'
import { html } from './html.js'
import { layout } from './layout.js'

/** Options of {@link errorPage}: the parts of a problem document that help a user. */
export interface ErrorPageOptions {
  title: string
  detail: string
  /** The stable code of the error table. */
  code: string
  /** Id to quote when asking for help; the log line contains it too. */
  requestId: string
}

/** Renders the page for a failed sign-in or sign-out. */
export function errorPage({ title, detail, code, requestId }: ErrorPageOptions): string {
  return layout({
    title,
    main: html`<h1>${title}</h1>
      <p class="lead">${detail}</p>
      <dl>
        <div>
          <dt>Code</dt>
          <dd><code>${code}</code></dd>
        </div>
        <div>
          <dt>Request</dt>
          <dd><code>${requestId}</code></dd>
        </div>
      </dl>
      <a class="button primary" href="/">Go to the start page</a>`,
  })
}

/** The text of an error page, for users who know neither HTTP nor this API. */
interface ErrorWords {
  readonly title: string
  readonly detail: string
}

/** Codes whose details are already written for users. */
type ForUsers =
  | 'AUTH_TRANSACTION_MISSING'
  | 'AUTH_TRANSACTION_EXPIRED'
  | 'AUTH_ACCESS_DENIED'
  | 'AUTH_NOT_ADMITTED'
  | 'AUTH_STEP_UP_FAILED'
  | 'AUTH_SESSION_CHANGED'
  | 'AUTH_ACCOUNT_CONFLICT'
  | 'AUTH_USER_DISABLED'
  | 'AUTH_PROVIDER_ERROR'
  | 'RATE_LIMITED'

const UNREADABLE: ErrorWords = {
  title: 'That did not work',
  detail: 'What your browser sent could not be read. Go to the start page and try again.',
}

const UNAVAILABLE: ErrorWords = {
  title: 'The service is unavailable',
  detail: 'Try again in a moment.',
}

/** Texts for all other codes, whose details tell developers how to correct a request. */
const WORDS: Readonly<Record<Exclude<AuthErrorCode, ForUsers>, ErrorWords>> = {
  MALFORMED_REQUEST: UNREADABLE,
  UNSUPPORTED_MEDIA_TYPE: UNREADABLE,
  VALIDATION_ERROR: UNREADABLE,
  PAYLOAD_TOO_LARGE: { title: 'That is too long', detail: 'Shorten it and try again.' },
  LOGOUT_TOKEN_INVALID: UNREADABLE,
  UNAUTHORIZED: { title: 'You are not signed in', detail: 'Sign in and try again.' },
  AUTH_RECENT_SIGN_IN_REQUIRED: {
    title: 'Sign in again',
    detail: 'This needs a recent sign-in. Sign in again and repeat it.',
  },
  PROVIDER_TOKEN_UNAVAILABLE: {
    title: 'More permissions are needed',
    detail: 'Open the application and sign in again to grant them.',
  },
  ORIGIN_NOT_ALLOWED: {
    title: 'This page may not use the sign-in service',
    detail: 'Open the application and start there.',
  },
  HOST_NOT_ALLOWED: {
    title: 'Sign-in does not work at this address',
    detail: 'Open the application at its usual address.',
  },
  RETURN_TO_NOT_ALLOWED: {
    title: 'The return address is not allowed',
    detail: 'The link that brought you here is wrong. Open the application and start there.',
  },
  FORBIDDEN: { title: 'You do not have access', detail: 'Ask an administrator for access.' },
  NOT_FOUND: {
    title: 'There is nothing at this address',
    detail: 'Check the address, or go to the start page.',
  },
  AUTH_LAST_ACCOUNT: {
    title: 'This account cannot be removed',
    detail: 'You could not sign in any more. Link another account first.',
  },
  METHOD_NOT_ALLOWED: {
    title: 'This address cannot be opened',
    detail: 'Go to the start page and start there.',
  },
  AUTH_OPERATION_UNSUPPORTED: {
    title: 'You cannot do that here',
    detail: 'Go to the start page to see how to sign in and out.',
  },
  INTERNAL: {
    title: 'Something went wrong on our side',
    detail: 'Try again. If it happens again, report the number of the request.',
  },
  STORE_UNAVAILABLE: UNAVAILABLE,
  AUTH_UNAVAILABLE: UNAVAILABLE,
}

/** The error page's text; the problem document may differ, since developers read it. */
export function errorWords({ code, detail, cause }: AuthError): ErrorWords {
  if (cause instanceof AuthBackendOperationUnsupportedError) return WORDS.AUTH_OPERATION_UNSUPPORTED
  return isForDevelopers(code) ? WORDS[code] : { title: AUTH_ERRORS[code].title, detail }
}

const isForDevelopers = (code: AuthErrorCode): code is keyof typeof WORDS => code in WORDS
