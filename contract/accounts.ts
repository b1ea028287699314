import { z } from 'zod'

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
