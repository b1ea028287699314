import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { parseKeyring } from '../../../backends/keyring.js'
import { createKeyringSessionTokenCrypto } from '../../../backends/session-token.js'
import type { SessionRecord } from '../../../backends/kv-oauth/session-store.js'
import { openStores } from '../../../backends/kv-oauth/storage/stores.js'
import { SESSION_COOKIE } from '../support/sign-in.js'

/** A signed-in user, and what the service must return about them. */
export interface Person {
  readonly cookie: string
  readonly userId: string
  readonly subject: string
  readonly sessionId: string
}

const ISSUER = 'https://issuer.example'
const DAY = 24 * 60 * 60_000

/**
 * Signs users in as the last step of a callback does, with the service's own store and key, but without
 * the walk through a provider: a thousand of them take a second.
 *
 * @param sessionsEach Number of browsers in which each user is signed in.
 */
export async function signInPeople(
  settings: { databaseUrl: string; sessionStore?: string | undefined; key: string },
  count: number,
  { sessionsEach = 1, over = {} }: { sessionsEach?: number; over?: Partial<SessionRecord> } = {},
): Promise<Person[]> {
  const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 4 })
  const stores = await openStores({ pool, sessionStore: settings.sessionStore })
  const crypto = createKeyringSessionTokenCrypto(parseKeyring(settings.key))
  const one = async (userId: string): Promise<Person> => {
    const { token, sessionId } = crypto.issueSessionToken()
    const subject = `subject-of-${userId}`
    const now = Date.now()
    await stores.sessions.create({
      id: sessionId,
      userId,
      providerId: 'local',
      issuer: ISSUER,
      subject,
      auditSubject: `audit-${userId}`,
      scopes: ['openid'],
      roles: [],
      claims: {},
      user: { displayName: `Name of ${userId}` },
      issuedAt: now,
      expiresAt: now + DAY,
      absoluteExpiresAt: now + 7 * DAY,
      version: 1,
      ...over,
    })
    return { cookie: `${SESSION_COOKIE}=${token}`, userId, subject, sessionId }
  }
  try {
    const userIds = Array.from({ length: count }, () => randomUUID())
    await pool.query('INSERT INTO auth_users (id) SELECT unnest($1::text[])', [userIds])
    await pool.query(
      `INSERT INTO auth_accounts (id, user_id, provider_id, issuer, subject)
       SELECT id, id, 'local', $2, 'subject-of-' || id FROM unnest($1::text[]) AS id`,
      [userIds, ISSUER],
    )
    return await Promise.all(
      userIds.flatMap((userId) => Array.from({ length: sessionsEach }, () => one(userId))),
    )
  } finally {
    await stores.close()
    await pool.end()
  }
}
