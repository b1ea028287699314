import type { AuthBackendPort } from '../port.js'

/** A session of a user, as a browser or another client carries it. */
export interface SignedIn {
  /**
   * The request headers that sign in: `cookie`, `authorization` or both. Give only what
   * authenticates, since every cookie in it is taken for a credential.
   */
  readonly headers: Readonly<Record<string, string>>
  /** A bearer token of the same session, for a backend that takes it instead of the cookie. */
  readonly bearer?: string
  /** Further texts that no result may contain, such as a refresh token. Credentials always count. */
  readonly secrets?: readonly string[]
}

/**
 * Changes a session behind the back of the backend under test. When the credential itself says how
 * long it is good, the hook returns the credential that the person would have by then.
 */
export type SessionHook = (backend: AuthBackendPort, signedIn: SignedIn) => Promise<SignedIn | void>

/**
 * What the author of a backend supplies. Only the first three are required. A check whose hook is
 * absent is skipped and says so, unless the backend claims the ability: then it fails.
 */
export interface AuthBackendHarness {
  /** The name that the backend must have. */
  readonly name: string
  /** A backend that is ready to serve. Every check asks for one and closes it. */
  readonly create: () => Promise<AuthBackendPort>
  /** Signs in a new user; with `as`, opens another session of the same person. */
  readonly signIn: (backend: AuthBackendPort, as?: SignedIn) => Promise<SignedIn>
  /** Lets the session run out. */
  readonly expire?: SessionHook
  /** Ends the session in another process, or at the provider. */
  readonly revokeElsewhere?: SessionHook
  /** Makes the next `authenticate` extend the session. Needed when `capabilities.refresh` is true. */
  readonly refreshDue?: SessionHook
  /** Takes the store or the provider away; returns what brings it back. */
  readonly storeDown?: (backend: AuthBackendPort) => Promise<() => Promise<void>>
  /**
   * A credential proves itself, as a signed token does, so `authenticate` may still know its bearer
   * while the store is down. Default: false.
   */
  readonly selfContained?: boolean
  /**
   * Plays the provider for a new user: takes the address that sign-in redirects to and returns
   * the query that comes back to the redirect URI.
   */
  readonly approve?: (redirectUrl: string) => Promise<URLSearchParams>
}
