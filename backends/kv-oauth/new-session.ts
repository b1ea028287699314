import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { USER_AGENT_LENGTH } from '@netscript/plugin-auth-core/internal'
import type { AdmissionGrant } from './admit.js'
import type { Authentication } from './authentication.js'
import type { SessionRecord, UserProfile } from './session-store.js'
import { cleanText, cutClaims } from './claims.js'
import type { KvOAuthContext } from './context.js'
import { rolesOf, roomIn, withinRoom } from './session-roles.js'
import type { ProviderIdentity } from './identity.js'
import type { OAuthProvider } from './provider.js'
import { validRoles } from './roles.js'
import type { SignInTransaction } from './sign-in.js'
import { nextTokenRefresh, type Tokens } from './tokens.js'

const MAX_CLAIMS_BYTES = 4096
const MAX_SCOPES_BYTES = 1024
const MAX_CLAIM_NAME = 64
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/

interface NewSession {
  request: AuthnRequest
  provider: OAuthProvider
  transaction: SignInTransaction
  tokens: Tokens
  identity: ProviderIdentity
  authenticated: Authentication
  grant: AdmissionGrant
  sessionId: string
  userId: string
  /** The roles that the operator gave. */
  operatorRoles: readonly string[]
}

/** Creates the session record of a completed sign-in. */
export function newSession(
  { policy, now, subjectHash, log }: KvOAuthContext,
  given: NewSession,
): SessionRecord {
  const { request, provider, transaction, tokens, identity, authenticated, grant } = given
  const { sessionId, userId, operatorRoles } = given
  const issuedAt = now()
  const userAgent = request.header('user-agent')?.slice(0, USER_AGENT_LENGTH)
  const tokenRefreshAt = nextTokenRefresh(tokens, tokens.refresh_token, issuedAt)
  const scopes = grantedScopes(provider, transaction, tokens)
  const record: SessionRecord = {
    id: sessionId,
    userId,
    providerId: provider.id,
    issuer: identity.issuer,
    subject: identity.subject,
    auditSubject: subjectHash(identity.issuer, identity.subject),
    ...(identity.sid !== undefined && { sid: identity.sid }),
    scopes: withinRoom(scopes, MAX_SCOPES_BYTES).kept,
    roles: [],
    ...(identity.roles?.from === 'user-info' && { rolesFrom: identity.roles.from }),
    claims: {},
    user: admittedProfile(identity.profile, grant),
    ...authenticated,
    ...(userAgent !== undefined && { userAgent }),
    issuedAt,
    expiresAt: issuedAt + policy.idleMs,
    absoluteExpiresAt: issuedAt + policy.absoluteMs,
    ...(tokenRefreshAt !== undefined && { tokenRefreshAt }),
    version: 1,
  }
  const admit = validRoles(grant.roles ?? [])
  const found = { operator: operatorRoles, admit, provider: identity.roles }
  const roles = rolesOf(record, found, log)
  const room = roomIn({ ...record, ...roles })
  const { claims, cut } = cutClaims(identity.claims, Math.min(room, MAX_CLAIMS_BYTES))
  const granted = cutClaims(
    grant.claims ?? {},
    Math.min(roomIn({ ...record, ...roles, claims }), MAX_CLAIMS_BYTES),
    Object.keys(grant.claims ?? {}).filter((name) => name.length <= MAX_CLAIM_NAME),
  )
  const dropped = [...cut, ...granted.cut]
  if (dropped.length > 0) {
    log.warn(
      { event: 'session.claims-cut', provider: provider.id, sessionId, claims: dropped },
      'A session has no room for all claims.',
    )
  }
  return { ...record, ...roles, claims: { ...claims, ...granted.claims } }
}

/** The profile with the name that `admit` gave. */
export const admittedProfile = (
  profile: UserProfile,
  { displayName }: AdmissionGrant,
): UserProfile =>
  displayName === undefined
    ? profile
    : { ...profile, displayName: cleanText(displayName).slice(0, 255) }

/**
 * The granted scopes. A token response without `scope` means the requested scopes (RFC 6749 section
 * 5.1). But the user can alter the request in the browser, and some providers never return `scope`, so
 * then only configured scopes count, never those that a caller added.
 */
export function grantedScopes(
  { scopes: configured }: OAuthProvider,
  { scopes: requested }: SignInTransaction,
  tokens: Tokens,
): readonly string[] {
  return namedScopes(tokens) ?? requested.filter((scope) => configured.includes(scope))
}

/**
 * The scopes that are still granted after a refresh, which never adds scopes (RFC 6749 section 6).
 */
export function remainingScopes(
  { scopes }: Pick<SessionRecord, 'scopes'>,
  tokens: Tokens,
): readonly string[] {
  const named = namedScopes(tokens)
  return named ? scopes.filter((scope) => named.includes(scope)) : scopes
}

/** The scope tokens (RFC 6749 section 3.3) of a token response; `undefined` without `scope`. */
function namedScopes({ scope }: Tokens): string[] | undefined {
  if (scope === undefined) return undefined
  return [...new Set(scope.split(/[\s,]+/))].filter((token) => SCOPE_TOKEN.test(token))
}
