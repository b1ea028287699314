import type { AuthSession } from '../contract/session.js'
import type { Principal } from './port.js'

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
