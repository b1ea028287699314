import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import { isoInstant } from '@netscript/plugin-auth-core/internal'
import type { AccessTokenClaims } from './access-token.js'
import type { SealedSession } from './sealed-session.js'

/** Maps a verified access token to a session. The id is its `sid`, which is not a credential. */
export function toAuthSession(
  claims: AccessTokenClaims,
  authenticationMethod?: string,
): AuthSession {
  return {
    id: claims.sid,
    userId: claims.sub,
    subject: claims.sub,
    providerId: 'workos',
    state: 'active',
    scopes: claims.permissions,
    roles: [...new Set([...(claims.role ? [claims.role] : []), ...claims.roles])],
    claims: {
      ...(claims.org_id !== undefined && { organizationId: claims.org_id }),
      ...(claims.entitlements.length > 0 && { entitlements: claims.entitlements }),
      ...(claims.feature_flags.length > 0 && { featureFlags: claims.feature_flags }),
      ...(claims.act !== undefined && { impersonated: true }),
      ...(authenticationMethod !== undefined && { authenticationMethod }),
    },
    issuedAt: isoInstant(claims.iat * 1000),
    expiresAt: isoInstant(claims.exp * 1000),
  }
}

/** Maps the user of a sealed session. */
export function toAuthUser({ user }: SealedSession): AuthUser {
  const displayName = [user.firstName, user.lastName].filter(Boolean).join(' ')
  return {
    id: user.id,
    ...(displayName !== '' && { displayName }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.emailVerified !== undefined && { emailVerified: user.emailVerified }),
    ...(user.profilePictureUrl !== undefined && { imageUrl: user.profilePictureUrl }),
  }
}
