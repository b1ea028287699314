import type { AuthnRequest } from '../request.js'
import type { SessionRecord } from '../session-store.js'
import { cutClaims } from './claims.js'
import type { KvOAuthContext } from './context.js'
import type { ProviderIdentity } from './identity.js'
import type { OAuthProvider } from './provider.js'
import type { SignInTransaction } from './sign-in.js'
import { nextTokenRefresh, type Tokens } from './tokens.js'

const USER_AGENT_MAX = 256
/** An entry takes at most 8 KiB; the rest is for what Keyv and the name of the member add. */
const MAX_ENTRY_BYTES = 8 * 1024 - 128
const MAX_CLAIMS_BYTES = 4096
const MAX_LIST_BYTES = 1024
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/

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
  const record = {
    id: sessionId,
    userId,
    providerId: provider.id,
    issuer: identity.issuer,
    subject: identity.subject,
    auditSubject: subjectHash(identity.issuer, identity.subject),
    ...(identity.sid !== undefined && { sid: identity.sid }),
    scopes: withinRoom(grantedScopes(provider, transaction, tokens)),
    roles: withinRoom(stringList(identity.claims.roles)),
    user: identity.profile,
    ...(userAgent !== undefined && { userAgent }),
    issuedAt,
    expiresAt: issuedAt + Math.min(policy.idleMs, policy.absoluteMs),
    absoluteExpiresAt: issuedAt + policy.absoluteMs,
    ...(tokenRefreshAt !== undefined && { tokenRefreshAt }),
    version: 1,
  }
  const room = MAX_ENTRY_BYTES - Buffer.byteLength(JSON.stringify(record))
  return { ...record, claims: cutClaims(identity.claims, Math.min(room, MAX_CLAIMS_BYTES)) }
}

/** As many items as a session has room for; one that does not fit leaves room for the next. */
function withinRoom(items: readonly string[]): string[] {
  let room = MAX_LIST_BYTES
  return items.filter((item) => {
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes > room) return false
    room -= bytes
    return true
  })
}

/**
 * The scopes that the provider granted. A token response without a scope means those requested (RFC
 * 6749 section 5.1), but the request passes through the browser of the user, and some providers never
 * name a scope: only configured scopes count then, never one that a caller added.
 */
function grantedScopes(
  { scopes: configured }: OAuthProvider,
  { scopes: requested }: SignInTransaction,
  tokens: Tokens,
): readonly string[] {
  return namedScopes(tokens) ?? requested.filter((scope) => configured.includes(scope))
}

/**
 * The scopes after a refresh: those that are still granted. A refresh never adds one (RFC 6749
 * section 6).
 */
export function remainingScopes(
  { scopes }: Pick<SessionRecord, 'scopes'>,
  tokens: Tokens,
): readonly string[] {
  const named = namedScopes(tokens)
  return named ? scopes.filter((scope) => named.includes(scope)) : scopes
}

/** The scope tokens (RFC 6749 section 3.3) of a token response; `undefined` when it names none. */
function namedScopes({ scope }: Tokens): string[] | undefined {
  if (scope === undefined) return undefined
  return [...new Set(scope.split(/[\s,]+/))].filter((token) => SCOPE_TOKEN.test(token))
}

const stringList = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
