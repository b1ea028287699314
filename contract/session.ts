import { z } from 'zod'

const instant = z.iso.datetime().describe('ISO 8601 instant in UTC.')

/** A session as the API returns it. Its `id` is public: it is not a credential. */
export const AuthSession = z
  .object({
    id: z.string().min(1).describe('Public id of the session; it is not a credential.'),
    userId: z.string().min(1).describe('Stable id of the user, the same at every sign-in.'),
    subject: z.string().min(1).describe("The provider's subject identifier for the user."),
    providerId: z.string().min(1).optional().describe('The provider that signed the user in.'),
    state: z.enum(['active', 'expired', 'revoked']).describe('Whether the session can be used.'),
    scopes: z.array(z.string()).describe('Scopes that the provider granted.'),
    roles: z.array(z.string()).describe('Roles of the user; empty when the backend has none.'),
    claims: z
      .record(z.string(), z.unknown())
      .describe('Identity claims from a fixed allow-list; never tokens.'),
    issuedAt: instant.describe('When the user signed in.'),
    expiresAt: instant.describe('When the session ends if it is not used again.'),
    refreshedAt: instant.optional().describe('When the session was last extended.'),
    revokedAt: instant.optional().describe('When the session was ended early.'),
  })
  .meta({ id: 'AuthSession', description: 'A signed-in session.' })
export type AuthSession = z.infer<typeof AuthSession>

/** The signed-in user. Fields that the backend does not know are absent. */
export const AuthUser = z
  .object({
    id: z.string().min(1).describe('Stable id of the user.'),
    displayName: z.string().optional().describe('Name to show.'),
    email: z.string().optional().describe('E-mail address; it does not identify a user.'),
    emailVerified: z.boolean().optional().describe('Whether the provider verified the address.'),
    imageUrl: z.string().optional().describe('URL of a picture.'),
    claims: z.record(z.string(), z.unknown()).optional().describe('Further claims of the user.'),
  })
  .meta({ id: 'AuthUser', description: 'A signed-in user.' })
export type AuthUser = z.infer<typeof AuthUser>

/** The response to an anonymous caller: exactly `{"authenticated": false}`. */
export const Anonymous = z
  .strictObject({ authenticated: z.literal(false).describe('There is no session.') })
  .meta({ id: 'Anonymous', description: 'There is no session.' })
export type Anonymous = z.infer<typeof Anonymous>

/** The response of session: {@link Anonymous}, or the session. */
export const SessionResponse = z
  .discriminatedUnion('authenticated', [
    Anonymous,
    z
      .object({
        authenticated: z.literal(true).describe('A user is signed in.'),
        session: AuthSession,
      })
      .meta({ id: 'AuthenticatedSession', description: 'The session of the caller.' }),
  ])
  .meta({ id: 'SessionResponse', description: 'The session of the caller, if there is one.' })
export type SessionResponse = z.infer<typeof SessionResponse>

/** The response of me: {@link Anonymous}, or the user and the session. */
export const MeResponse = z
  .discriminatedUnion('authenticated', [
    Anonymous,
    z
      .object({
        authenticated: z.literal(true).describe('A user is signed in.'),
        user: AuthUser,
        session: AuthSession,
      })
      .meta({ id: 'AuthenticatedUser', description: 'The caller and their session.' }),
  ])
  .meta({ id: 'MeResponse', description: 'The caller, if they are signed in.' })
export type MeResponse = z.infer<typeof MeResponse>
