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
    authTime: instant
      .optional()
      .describe(
        'When the user authenticated at the provider (auth_time); absent if it did not say.',
      ),
    acr: z
      .string()
      .max(255)
      .optional()
      .describe(
        'Authentication context class of the sign-in (acr); absent if the provider sent none.',
      ),
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

/**
 * Maps a session to a principal. Its subject is the user id, not the provider subject. Its claims have
 * `auth_time` (seconds) and `acr` only if the session has them: the provider then vouched for them.
 */
export function mapSessionToPrincipal(session: AuthSession): Principal {
  const { auth_time: _time, acr: _class, ...claims } = session.claims
  const { authTime, acr } = session
  return {
    subject: session.userId,
    scopes: session.scopes,
    roles: session.roles,
    scheme: 'custom',
    claims: {
      ...claims,
      ...(authTime !== undefined && { auth_time: Math.floor(Date.parse(authTime) / 1000) }),
      ...(acr !== undefined && { acr }),
      sessionId: session.id,
      providerId: session.providerId,
    },
  }
}

/** An entry in the session list of a user. */
export const SessionSummary = z
  .object({
    session: AuthSession,
    current: z.boolean().describe('Whether the request was made with this session.'),
    userAgent: z.string().optional().describe('The User-Agent header of the sign-in.'),
  })
  .meta({ id: 'SessionSummary', description: 'A session of the caller in their session list.' })
export type SessionSummary = z.infer<typeof SessionSummary>

/** The query of sessions: page size and cursor. */
export const SessionsQuery = z.object({
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Sessions per page. Default: 100.'),
  cursor: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe('The cursor of the page before. Default: the first page.'),
})
export type SessionsQuery = z.infer<typeof SessionsQuery>

/** A page of the live sessions of the caller, newest first. */
export const SessionsResponse = z
  .object({
    sessions: z.array(SessionSummary).describe('Live sessions, newest first.'),
    cursor: z
      .string()
      .optional()
      .describe('Gets the next page; absent on the last one. Ended sessions do not change it.'),
  })
  .meta({ id: 'SessionsResponse', description: 'The sessions of the caller.' })
export type SessionsResponse = z.infer<typeof SessionsResponse>

/** The response of the routes that end sessions. */
export const RevokedResponse = z
  .object({ revoked: z.int().min(0).describe('How many sessions were ended.') })
  .meta({
    id: 'RevokedResponse',
    description: 'The number of sessions that were ended.',
    examples: [{ revoked: 1 }],
  })
export type RevokedResponse = z.infer<typeof RevokedResponse>
