import { randomUUID } from 'node:crypto'
import type { UserStore } from '../../session-store.js'

/** Makes an enabled user whom nobody else has and returns the id. */
export async function createTestUser(users: UserStore): Promise<string> {
  const identity = { providerId: 'local', issuer: 'local', subject: randomUUID(), profile: {} }
  return (await users.signIn(identity)).userId
}
