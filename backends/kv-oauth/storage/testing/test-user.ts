import { randomUUID } from 'node:crypto'
import type { AccountChange, KvOAuthStores, SessionRecord, UserStore } from '../../session-store.js'

/** Creates a new enabled user and returns the id. */
export async function createTestUser(users: UserStore): Promise<string> {
  const identity = { providerId: 'local', issuer: 'local', subject: randomUUID(), profile: {} }
  return (await users.signIn(identity)).userId
}

/** The change of accounts that a test makes. */
export const TEST_CHANGE: AccountChange = {
  sessionId: 'test-session',
  subjectHash: (issuer, subject) => `hash of ${subject} at ${issuer}`,
}

/** Links the account of a session to its user, without which the session cannot be created. */
export async function linkAccountOf(users: UserStore, record: SessionRecord): Promise<void> {
  // A disabled or unknown user is what some tests are about.
  await users.link(record.userId, record, TEST_CHANGE).catch(() => undefined)
}

/** Session stores that link the account of each session before it is created. */
export function withAccounts<Stores extends Pick<KvOAuthStores, 'sessions' | 'users'>>(
  stores: Stores,
): Stores {
  const { sessions, users } = stores
  return {
    ...stores,
    sessions: {
      ...sessions,
      create: async (record: SessionRecord) => {
        await linkAccountOf(users, record)
        return sessions.create(record)
      },
    },
  }
}
