import { z } from 'zod'
import { LinkedAccount } from './accounts.js'
import { SessionSummary } from './session.js'

const instant = z.iso.datetime().describe('ISO 8601 instant in UTC.')

/** An event of the audit trail. */
export const StoredEvent = z
  .object({
    at: instant.describe('When it happened.'),
    type: z.string().describe('What happened, such as sign-in.completed.'),
    providerId: z.string().optional().describe('The provider, if there was one.'),
    sessionId: z.string().optional().describe('The public id of the session.'),
    reason: z.string().optional().describe('Why it happened.'),
  })
  .meta({ id: 'StoredEvent', description: 'An event of the audit trail about the caller.' })
export type StoredEvent = z.infer<typeof StoredEvent>

/** The response of exportUser: everything that is stored about the caller, but no tokens. */
export const StoredUser = z
  .object({
    exportedAt: instant.describe('When this was read.'),
    user: z
      .object({
        id: z.string().describe('Stable id of the user.'),
        displayName: z.string().optional().describe('Name to show.'),
        email: z.string().optional().describe('E-mail address.'),
        emailVerified: z.boolean().optional().describe('Whether the provider verified it.'),
        imageUrl: z.string().optional().describe('URL of a picture.'),
        roles: z.array(z.string()).describe('Roles that the operator gave.'),
        createdAt: instant.describe('When the user first signed in.'),
      })
      .meta({ id: 'StoredProfile', description: 'The user.' }),
    accounts: z.array(LinkedAccount).describe('The provider accounts of the user.'),
    sessions: z.array(SessionSummary).describe('The live sessions, with their claims.'),
    events: z.array(StoredEvent).describe('The newest 1000 events of the audit trail.'),
  })
  .meta({
    id: 'StoredUser',
    description: 'What is stored about the caller. Tokens of providers are left out.',
    examples: [
      {
        exportedAt: '2026-02-01T08:40:00.000Z',
        user: {
          id: '0198f3c2-7a51-7b1e-9d53-3a5f4f1f0f5b',
          displayName: 'Ada Lovelace',
          email: 'ada@example.com',
          emailVerified: true,
          roles: [],
          createdAt: '2026-01-05T09:00:00.000Z',
        },
        accounts: [],
        sessions: [],
        events: [
          { at: '2026-01-05T09:00:00.000Z', type: 'sign-in.completed', providerId: 'google' },
        ],
      },
    ],
  })
export type StoredUser = z.infer<typeof StoredUser>

/** The response of deleteUser. */
export const DeletedResponse = z
  .object({ deleted: z.literal(true).describe('The user and all sessions are gone.') })
  .meta({
    id: 'DeletedResponse',
    description: 'The caller has been deleted.',
    examples: [{ deleted: true }],
  })
export type DeletedResponse = z.infer<typeof DeletedResponse>
