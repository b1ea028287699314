import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { PrismaClient } from '../../prisma/client.js'
import type { SessionEnd } from '../audit.js'
import { AuthError } from '../errors.js'
import type { SignedInIdentity, UserStore } from '../session-store.js'
import { auditSessions } from './audit-statement.js'
import { KEYV_TABLE } from './keyv-postgres.js'
import { storeCall } from './unavailable.js'

/** Prisma's code for "a record with this unique value exists already". */
const UNIQUE_VIOLATION = 'P2002'

const ignore = (): void => undefined

const disabled = (): AuthError =>
  new AuthError('AUTH_USER_DISABLED', 'Ask an administrator to enable the account again.')

/**
 * People in Postgres through Prisma. The client is loaded at the first sign-in: a process that only
 * answers who is calling never needs it.
 */
export function createPrismaUserStore(pool: pg.Pool): UserStore {
  let loading: Promise<PrismaClient> | undefined
  const client = (): Promise<PrismaClient> =>
    (loading ??= import('../../prisma/client.js').then((prisma) => prisma.createPrismaClient(pool)))

  /** Locks the user's row first, so that a sign-in that races it is over before its session is ended. */
  const endUser = (userId: string, end: SessionEnd, statement: string): Promise<boolean> =>
    storeCall(async () => {
      const connection = await pool.connect()
      // Without a listener a connection that breaks between two statements would end the process.
      connection.on('error', ignore)
      let broken: Error | undefined
      try {
        await connection.query('BEGIN')
        const { rowCount } = await connection.query(statement, [userId])
        await connection.query(
          `WITH ended AS (DELETE FROM ${KEYV_TABLE} WHERE user_id = $1 RETURNING value)
           ${auditSessions('ended', "'session.revoked'", '$2::text')}`,
          [userId, end],
        )
        await connection.query('COMMIT')
        return rowCount === 1
      } catch (error) {
        broken = error as Error
        throw error
      } finally {
        connection.off('error', ignore)
        connection.release(broken)
      }
    })

  return {
    signIn: (identity) =>
      storeCall(async () => {
        const prisma = await client()
        return (
          (await update(prisma, identity)) ??
          (await create(prisma, identity)) ??
          (await update(prisma, identity)) ??
          Promise.reject(new Error('The account vanished between two statements.'))
        )
      }),
    disable: (userId) =>
      endUser(
        userId,
        'user-disabled',
        'UPDATE auth_users SET disabled_at = coalesce(disabled_at, now()), updated_at = now() WHERE id = $1',
      ),
    delete: (userId) => endUser(userId, 'user-deleted', 'DELETE FROM auth_users WHERE id = $1'),
    enable: (userId) =>
      storeCall(async () => {
        const { rowCount } = await pool.query(
          'UPDATE auth_users SET disabled_at = NULL, updated_at = now() WHERE id = $1',
          [userId],
        )
        return rowCount === 1
      }),
  }
}

async function update(
  prisma: PrismaClient,
  { issuer, subject, profile }: SignedInIdentity,
): Promise<{ userId: string } | undefined> {
  const account = await prisma.authAccount.findUnique({
    where: { issuer_subject: { issuer, subject } },
    select: { id: true, user: { select: { id: true, disabledAt: true } } },
  })
  if (!account) return undefined
  if (account.user.disabledAt) throw disabled()
  await prisma.authAccount.update({
    where: { id: account.id },
    data: { lastSignInAt: new Date(), user: { update: profile } },
    select: { id: true },
  })
  return { userId: account.user.id }
}

async function create(
  prisma: PrismaClient,
  { providerId, issuer, subject, profile }: SignedInIdentity,
): Promise<{ userId: string } | undefined> {
  const userId = randomUUID()
  try {
    await prisma.authUser.create({
      data: {
        id: userId,
        ...profile,
        accounts: {
          create: { id: randomUUID(), providerId, issuer, subject, lastSignInAt: new Date() },
        },
      },
      select: { id: true },
    })
    return { userId }
  } catch (error) {
    // Another sign-in of the same person was first.
    if ((error as { code?: string }).code === UNIQUE_VIOLATION) return undefined
    throw error
  }
}
