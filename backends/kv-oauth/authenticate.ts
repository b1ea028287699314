import { type AuthSession, type AuthUser, mapSessionToPrincipal } from '@netscript/auth-contract'
import {
  type AnonymousReason,
  type AuthnRequest,
  type AuthnResult,
  singleCookie,
} from '@netscript/plugin-auth-core'
import { isoInstant } from '@netscript/plugin-auth-core/internal'
import type { SessionRecord } from './session-store.js'
import type { KvOAuthContext } from './context.js'
import { refreshSession } from './refresh.js'
import { judgeStored } from './admission.js'
import { changeSession } from './change-session.js'

/**
 * Authenticates a request with one read. Past the refresh window it also extends the idle deadline,
 * and near the expiry of the provider's access token it refreshes that.
 */
export async function authenticate(
  context: KvOAuthContext,
  request: AuthnRequest,
): Promise<AuthnResult> {
  const token = singleCookie(request, context.cookies.sessionName)
  if (token === undefined) return anonymous('credential-missing')
  const id = context.crypto.openSessionToken(token)
  if (id === undefined) {
    context.log.info(
      { code: 'AUTH_KEY_MISSING' },
      'A session cookie was not signed with a key of the keyring.',
    )
    return anonymous('credential-invalid')
  }
  const found = await context.sessions.get(id)
  if (!found) return anonymous('session-unknown')
  const record = await keepAlive(context, found)
  if (!record) return anonymous('session-revoked')
  context.trace?.annotate({ 'auth.subject': record.auditSubject })
  const session = toAuthSession(record)
  return {
    ok: true,
    session,
    user: toAuthUser(record),
    principal: mapSessionToPrincipal(session),
    setCookies: [],
  }
}

const anonymous = (reason: AnonymousReason): AuthnResult => ({ ok: false, reason, setCookies: [] })

/** Extends what is due; `undefined` when the session has ended. */
async function keepAlive(
  context: KvOAuthContext,
  record: SessionRecord,
): Promise<SessionRecord | undefined> {
  const now = context.now()
  const { idleMs, refreshWindowMs } = context.policy
  const isDue = (current: SessionRecord): boolean =>
    now - (current.refreshedAt ?? current.issuedAt) >= refreshWindowMs
  const tokenDue = record.tokenRefreshAt !== undefined && now >= record.tokenRefreshAt
  if (!isDue(record) && !tokenDue) return record
  if (isDue(record) && (await endIfRefused(context, record))) return undefined
  try {
    const extended = await changeSession(context, record, 'used', (current) =>
      isDue(current)
        ? { refreshedAt: now, expiresAt: Math.min(now + idleMs, current.absoluteExpiresAt) }
        : undefined,
    )
    return extended && tokenDue ? (await refreshSession(context, extended)).record : extended
  } catch (error) {
    // A failed write must not end the session, but it may have been ended meanwhile.
    context.log.warn({ err: error, sessionId: record.id }, 'The session could not be extended.')
    return context.sessions.get(record.id)
  }
}

/** Ends a session that the rules no longer admit, by what it contains; whether it did. */
async function endIfRefused(context: KvOAuthContext, record: SessionRecord): Promise<boolean> {
  const provider = context.providers.get(record.providerId)
  const { email, emailVerified } = record.user
  const { subject, claims } = record
  const verdict = provider && judgeStored(provider, { subject, email, emailVerified, claims })
  if (verdict?.outcome !== 'refused') return false
  await context.sessions.revoke(record.id, 'not-admitted')
  const fields = { sessionId: record.id, provider: record.providerId, rule: verdict.rule }
  context.log.info({ ...fields, event: 'session.ended', reason: 'not-admitted' }, 'session ended')
  return true
}

/** The public form of a session. */
export function toAuthSession(record: SessionRecord): AuthSession {
  return {
    id: record.id,
    userId: record.userId,
    subject: record.subject,
    providerId: record.providerId,
    state: 'active',
    scopes: [...record.scopes],
    roles: [...record.roles],
    claims: { ...record.claims },
    issuedAt: isoInstant(record.issuedAt),
    expiresAt: isoInstant(record.expiresAt),
    ...(record.authTime !== undefined && { authTime: isoInstant(record.authTime) }),
    ...(record.acr !== undefined && { acr: record.acr }),
    ...(record.refreshedAt !== undefined && { refreshedAt: isoInstant(record.refreshedAt) }),
  }
}

function toAuthUser(record: SessionRecord): AuthUser {
  return { id: record.userId, ...record.user }
}
