import { z } from 'zod'
import { SessionSummary } from './session.js'

const instant = z.iso.datetime()

/** A provider account that is linked to the user. */
export const LinkedAccount = z
  .object({
    id: z.string().min(1).describe('Id of the account here.'),
    providerId: z.string().min(1).describe('The provider of the account.'),
    subject: z.string().min(1).describe("The provider's subject identifier for the user."),
    createdAt: instant.describe('When the account was linked, as an ISO 8601 instant in UTC.'),
    lastSignInAt: instant.describe('When the user last signed in with it, likewise.'),
    current: z.boolean().describe('Whether the current session was made with it.'),
  })
  .meta({ id: 'LinkedAccount', description: 'A provider account of the caller.' })
export type LinkedAccount = z.infer<typeof LinkedAccount>

/** The response of accounts. */
export const AccountsResponse = z
  .object({
    accounts: z.array(LinkedAccount).describe('Every account of the user, the oldest first.'),
  })
  .meta({
    id: 'AccountsResponse',
    description: 'The provider accounts of the caller.',
    examples: [
      {
        accounts: [
          {
            id: '0198f3c2-7a51-7b1e-9d53-3a5f4f1f0f5b',
            providerId: 'google',
            subject: '110248495921238986420',
            createdAt: '2026-01-05T09:00:00.000Z',
            lastSignInAt: '2026-02-01T08:30:00.000Z',
            current: true,
          },
          {
            id: '0198f3d0-1c44-7d0a-8f5e-6f0d2b9a7c11',
            providerId: 'github',
            subject: '583231',
            createdAt: '2026-02-01T08:31:00.000Z',
            lastSignInAt: '2026-02-01T08:31:00.000Z',
            current: false,
          },
        ],
      },
    ],
  })
export type AccountsResponse = z.infer<typeof AccountsResponse>

/** The response of unlinkAccount. */
export const UnlinkedResponse = z
  .object({
    unlinked: z.literal(true).describe('The account no longer belongs to the user.'),
    revoked: z.int().min(0).describe('How many sessions that were made with it have ended.'),
    signedOut: z.boolean().describe('Whether the current session was one of them.'),
  })
  .meta({
    id: 'UnlinkedResponse',
    description: 'The account has been removed.',
    examples: [{ unlinked: true, revoked: 1, signedOut: false }],
  })
export type UnlinkedResponse = z.infer<typeof UnlinkedResponse>

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
