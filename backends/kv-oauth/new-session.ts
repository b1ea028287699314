import type { AuthnRequest } from '../request.js'
import type { SessionRecord } from '../session-store.js'
import type { KvOAuthContext } from './context.js'
import type { ProviderIdentity } from './identity.js'
import type { OAuthProvider } from './provider.js'
import type { SignInTransaction } from './sign-in.js'
import { nextTokenRefresh, type Tokens } from './tokens.js'

const USER_AGENT_MAX = 256

interface NewSession {
  request: AuthnRequest
  provider: OAuthProvider
  transaction: SignInTransaction
  tokens: Tokens
  identity: ProviderIdentity
  sessionId: string
  userId: string
}

/** The session that a completed sign-in opens. */
export function newSession(
  { policy, now, subjectHash }: KvOAuthContext,
  { request, provider, transaction, tokens, identity, sessionId, userId }: NewSession,
): SessionRecord {
  const issuedAt = now()
  const userAgent = request.header('user-agent')?.slice(0, USER_AGENT_MAX)
  const tokenRefreshAt = nextTokenRefresh(tokens, tokens.refresh_token, issuedAt)
  return {
    id: sessionId,
    userId,
    providerId: provider.id,
    issuer: identity.issuer,
    subject: identity.subject,
    auditSubject: subjectHash(identity.issuer, identity.subject),
    ...(identity.sid !== undefined && { sid: identity.sid }),
    scopes: tokens.scope === undefined ? transaction.scopes : tokens.scope.split(/[\s,]+/),
    roles: stringList(identity.claims.roles),
    claims: identity.claims,
    user: identity.profile,
    ...(userAgent !== undefined && { userAgent }),
    issuedAt,
    expiresAt: issuedAt + Math.min(policy.idleMs, policy.absoluteMs),
    absoluteExpiresAt: issuedAt + policy.absoluteMs,
    ...(tokenRefreshAt !== undefined && { tokenRefreshAt }),
    version: 1,
  }
}

const stringList = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
