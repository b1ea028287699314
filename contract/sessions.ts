import { z } from 'zod'
import { AuthSession } from './session.js'

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
