import type { AuthSession } from './session.js'

/** Who is calling, as the guards of consuming services see it. */
export interface Principal {
  /** The stable user id: the same person at every sign-in, different people never the same. */
  readonly subject: string
  /** Scopes that the provider granted, or that a credential was given. */
  readonly scopes: readonly string[]
  /** Roles of the user; empty when the backend has none. */
  readonly roles: readonly string[]
  /** How the caller said who they are; `custom` is the session cookie. */
  readonly scheme: 'api-key' | 'bearer' | 'trusted-header' | 'custom'
  /** Those of the session with its `sessionId` and `providerId`, or those of a credential. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** The principal of a session. Its subject is the user id, which no two people share. */
export function mapSessionToPrincipal(session: AuthSession): Principal {
  return {
    subject: session.userId,
    scopes: session.scopes,
    roles: session.roles,
    scheme: 'custom',
    claims: { ...session.claims, sessionId: session.id, providerId: session.providerId },
  }
}
