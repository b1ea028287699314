import { AsyncLocalStorage } from 'node:async_hooks'
import type { PrismaClient } from '@netscript/auth-database/client'
import { endEventType } from '@netscript/auth-database/internal'
import type { SessionEnd } from '@netscript/plugin-auth-core'

const PROVIDER = 'better-auth'

/** The pseudonym of a better-auth user in the audit trail. */
export type NameUser = (userId: string) => string

/**
 * Audit events of better-auth. A session is recorded only after its user is authenticated, which
 * `audit_subject` marks; otherwise anonymous callers could grow the trail.
 */
interface BetterAuthAudit {
  /** Records a completed sign-in. */
  signedIn(session: { id: string; userId: string }): Promise<void>
  /** Records a refused sign-in of a known user. */
  refused(userId: string, reason: string): Promise<void>
  /** Records the end of a session before the session ends, so that no end goes unrecorded. */
  ending(sessionId: string, end: SessionEnd): Promise<void>
}

/** Writes events to the database of a Prisma client. */
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

/**
 * Sets the reason for sessions that better-auth deletes during `work`; its hooks do not receive
 * one.
 */
export function endingAs<T>(end: SessionEnd, work: () => Promise<T>): Promise<T> {
  return knownEnd.run(end, work)
}

/** Why a session ends, by the better-auth route that ends it; the first match wins. */
const ENDS: readonly (readonly [RegExp, SessionEnd])[] = [
  [/^\/(sign-out|admin\/stop-impersonating)$/, 'signed-out'],
  [/^\/(delete-user|admin\/remove-user)/, 'user-deleted'],
  [/^\/admin\/ban-user$/, 'user-disabled'],
  [/^\/admin\//, 'revoked-by-operator'],
  [/^\/(sign-in|sign-up|callback|two-factor|verify-email)/, 'replaced-by-sign-in'],
]

/** Why better-auth ends a session while it handles a path. */
export function endOf(path: string | undefined): SessionEnd {
  const known = knownEnd.getStore()
  if (known) return known
  return ENDS.find(([pattern]) => pattern.test(path ?? ''))?.[1] ?? 'revoked-by-owner'
}
