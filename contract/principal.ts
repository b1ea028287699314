import type { AuthSession } from './session.js'

/** Who is calling, as the guards of consuming services see it. */
export interface Principal {
  /** The stable user id: the same person at every sign-in, different people never the same. */
  readonly subject: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly scheme: 'api-key' | 'bearer' | 'trusted-header' | 'custom'
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
