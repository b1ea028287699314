import { randomUUID } from 'node:crypto'
import type { UserStore } from '../../session-store.js'

/** Creates a new enabled user and returns the id. */
export async function createTestUser(users: UserStore): Promise<string> {
  const identity = { providerId: 'local', issuer: 'local', subject: randomUUID(), profile: {} }
  return (await users.signIn(identity)).userId
}
