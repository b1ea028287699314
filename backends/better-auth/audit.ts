import { AsyncLocalStorage } from 'node:async_hooks'
import type { PrismaClient } from '@netscript/auth-database/client'
import { endEventType } from '@netscript/auth-database/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'

const PROVIDER = 'better-auth'

/** Names a user of better-auth in the audit trail. */
export type NameUser = (userId: string) => string

/**
 * What better-auth does in the audit trail. Sessions are named there from the moment their user has
 * proven who they are: `audit_subject` says so, and without it neither their begin nor their end is
 * recorded, or anyone could make the trail grow.
 */
export interface BetterAuthAudit {
  /** Records a completed sign-in. */
  signedIn(session: { id: string; userId: string }): Promise<void>
  /** Records a sign-in of a user who is known but may not come in. */
  refused(userId: string, reason: string): Promise<void>
  /** Records the end of a session, before it ends: no end is without its event. */
  ending(sessionId: string, end: SessionEnd): Promise<void>
}

/** Events in the database of a Prisma client. */
export function createBetterAuthAudit(prisma: PrismaClient, nameUser: NameUser): BetterAuthAudit {
  const execute = (statement: string, ...values: unknown[]): Promise<number> =>
    prisma.$executeRawUnsafe(statement, ...values)
  return {
    async signedIn({ id, userId }) {
      await execute(
        `WITH begun AS (
           UPDATE auth_sessions SET audit_subject = $2 WHERE id = $1 RETURNING id, audit_subject)
         ${insertEvents('begun', "'sign-in.completed'", 'NULL')}`,
        id,
        nameUser(userId),
      )
    },
    async refused(userId, reason) {
      await execute(
        `INSERT INTO auth_audit_events (type, provider_id, subject_hash, reason)
         VALUES ('sign-in.failed', '${PROVIDER}', $1, $2)`,
        nameUser(userId),
        reason,
      )
    },
    async ending(sessionId, end) {
      await execute(
        `WITH ending AS (
           SELECT id, audit_subject FROM auth_sessions
           WHERE id = $1 AND audit_subject IS NOT NULL AND expires_at > now())
         ${insertEvents('ending', '$2::text', '$3::text')}`,
        sessionId,
        endEventType(end),
        end,
      )
    },
  }
}

/** Inserts an event for each row of a common table expression over `auth_sessions`. */
export function insertEvents(from: string, type: string, reason: string): string {
  return `INSERT INTO auth_audit_events (type, provider_id, subject_hash, session_id, reason)
    SELECT ${type}, '${PROVIDER}', audit_subject, id, ${reason} FROM ${from}`
}

const knownEnd = new AsyncLocalStorage<SessionEnd>()

/** Why the sessions end that `work` has better-auth delete; its hooks are not told. */
export function endingAs<T>(end: SessionEnd, work: () => Promise<T>): Promise<T> {
  return knownEnd.run(end, work)
}

/** Why a session ends, by the route of better-auth that ends it; the first that fits. */
const ENDS: readonly (readonly [RegExp, SessionEnd])[] = [
  [/^\/(sign-out|admin\/stop-impersonating)$/, 'signed-out'],
  [/^\/(delete-user|admin\/remove-user)/, 'user-deleted'],
  [/^\/admin\/ban-user$/, 'user-disabled'],
  [/^\/admin\//, 'revoked-by-operator'],
  [/^\/(sign-in|sign-up|callback|two-factor|verify-email)/, 'replaced-by-sign-in'],
]

/** Why a session ends that better-auth deletes while it answers a path. */
export function endOf(path: string | undefined): SessionEnd {
  const known = knownEnd.getStore()
  if (known) return known
  return ENDS.find(([pattern]) => pattern.test(path ?? ''))?.[1] ?? 'revoked-by-owner'
}
