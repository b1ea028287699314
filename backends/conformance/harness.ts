import type { AuthBackendPort } from '../port.js'

/** The credential of a signed-in user, as a client holds it. */
export interface SignedIn {
  /**
   * The request headers that authenticate: `cookie`, `authorization` or both. Include only
   * credentials: the checks treat every cookie as one.
   */
  readonly headers: Readonly<Record<string, string>>
  /** A bearer token of the same session, for a backend that accepts it instead of the cookie. */
  readonly bearer?: string
  /** Further secrets that no result may contain, such as a refresh token. */
  readonly secrets?: readonly string[]
}

/**
 * Changes a session outside the backend under test. If the credential carries its own expiry, the
 * hook returns the credential that the user would have by then.
 */
export type SessionHook = (backend: AuthBackendPort, signedIn: SignedIn) => Promise<SignedIn | void>

/**
 * What the author of a backend provides. Only the first three members are required. A check whose
 * hook is missing is skipped, or fails if the backend claims the capability.
 */
export interface AuthBackendHarness {
  /** The name that the backend must have. */
  readonly name: string
  /** Creates a backend that is ready. Each check creates one and closes it. */
  readonly create: () => Promise<AuthBackendPort>
  /** Signs in a new user; with `as`, opens another session of the same user. */
  readonly signIn: (backend: AuthBackendPort, as?: SignedIn) => Promise<SignedIn>
  /** Lets the session expire. */
  readonly expire?: SessionHook
  /** Ends the session in another process, or at the provider. */
  readonly revokeElsewhere?: SessionHook
  /** Makes the session due to refresh. Required when `capabilities.refresh` is true. */
  readonly refreshDue?: SessionHook
  /** Makes the store or provider unavailable. Returns a function that restores it. */
  readonly storeDown?: (backend: AuthBackendPort) => Promise<() => Promise<void>>
  /**
   * Whether credentials are self-contained, as signed tokens are, so that `authenticate` may succeed
   * during an outage.
   * @default false
   */
  readonly selfContained?: boolean
  /**
   * Acts as the provider for a new user: takes the redirect URL of the sign-in and returns the query
   * of the redirect URI.
   */
  readonly approve?: (redirectUrl: string) => Promise<URLSearchParams>
  /** Like `approve`, for a user that the backend does not admit. */
  readonly approveRefused?: (redirectUrl: string) => Promise<URLSearchParams>
  /** Gives a role to the user in another process, as an operator does. */
  readonly giveRole?: (backend: AuthBackendPort, signedIn: SignedIn, role: string) => Promise<void>
}
