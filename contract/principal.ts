import type { AuthSession } from './session.js'

/** The authenticated caller, as guards hand it to a consuming service. */
export interface Principal {
  /** The stable user id: the same at every sign-in, and unique to one user. */
  readonly subject: string
  /** Scopes that the provider granted, or that a credential was given. */
  readonly scopes: readonly string[]
  /** Roles of the user; empty when the backend has none. */
  readonly roles: readonly string[]
  /** How the caller authenticated; `custom` is the session cookie. */
  readonly scheme: 'api-key' | 'bearer' | 'trusted-header' | 'custom'
  /** Claims of the session plus `sessionId` and `providerId`, or the claims of a credential. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Maps a session to a principal. Its subject is the user id, not the provider subject. */
export function mapSessionToPrincipal(session: AuthSession): Principal {
  return {
    subject: session.userId,
    scopes: session.scopes,
    roles: session.roles,
    scheme: 'custom',
    claims: { ...session.claims, sessionId: session.id, providerId: session.providerId },
  }
}
