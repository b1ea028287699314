import type { AuthnRequest } from '@netscript/plugin-auth-core'
import { USER_AGENT_LENGTH } from '@netscript/plugin-auth-core/internal'
import type { AdmissionGrant } from './admit.js'
import type { SessionRecord, UserProfile } from './session-store.js'
import { cleanText, cutClaims } from './claims.js'
import type { KvOAuthContext } from './context.js'
import type { ProviderIdentity } from './identity.js'
import type { OAuthProvider } from './provider.js'
import { type FoundRoles, validRoles } from './roles.js'
import type { SignInTransaction } from './sign-in.js'
import { nextTokenRefresh, type Tokens } from './tokens.js'

/** Limits a stored entry to 8 KiB, with 128 bytes for what Keyv adds. */
const MAX_ENTRY_BYTES = 8 * 1024 - 128
const MAX_CLAIMS_BYTES = 4096
const MAX_SCOPES_BYTES = 1024
const MAX_ROLES_BYTES = 4096
const MAX_CLAIM_NAME = 64
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/

interface NewSession {
  request: AuthnRequest
  provider: OAuthProvider
  transaction: SignInTransaction
  tokens: Tokens
  identity: ProviderIdentity
  grant: AdmissionGrant
  sessionId: string
  userId: string
}

/** Creates the session record of a completed sign-in. */
export function newSession(
  { policy, now, subjectHash, log }: KvOAuthContext,
  { request, provider, transaction, tokens, identity, grant, sessionId, userId }: NewSession,
): SessionRecord {
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

    ...(userAgent !== undefined && { userAgent }),
    issuedAt,
    expiresAt: issuedAt + policy.idleMs,
    absoluteExpiresAt: issuedAt + policy.absoluteMs,
    ...(tokenRefreshAt !== undefined && { tokenRefreshAt }),
    version: 1,
  }
  const admit = validRoles(grant.roles ?? [])
  const roles = rolesOf(record, { provider: identity.roles, admit }, log)
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
 * The roles for a session from the provider and from `admit`, as many as fit into the entry. Dropped
 * roles are logged, because a user who lacks a role is refused without an obvious reason.
 */
export function rolesOf(
  record: SessionRecord,
  { provider, admit }: { provider: FoundRoles | undefined; admit: readonly string[] },
  log: KvOAuthContext['log'],
): Pick<SessionRecord, 'roles' | 'rolesBySource'> {
  const all = [...new Set([...admit, ...(provider?.roles ?? [])])]
  const room = Math.min(roomIn({ ...record, roles: [], rolesBySource: undefined }), MAX_ROLES_BYTES)
  // With two sources each role is in the entry twice or three times.
  const { kept, dropped } = withinRoom(all, admit.length > 0 ? room / 3 : room)
  const refused = provider?.refused ?? 0
  if (dropped.length > 0 || refused > 0) {
    log.warn(
      {
        event: 'session.roles-cut',
        provider: record.providerId,
        sessionId: record.id,
        dropped: dropped.length,
        refused,
        names: dropped.slice(0, 10),
      },
      'A session lacks roles of its user: there is no room for all, or some are no roles.',
    )
  }
  const from = (source: readonly string[]): readonly string[] =>
    kept.filter((role) => source.includes(role))
  return {
    roles: kept,
    rolesBySource:
      admit.length > 0 ? { provider: from(provider?.roles ?? []), admit: from(admit) } : undefined,
  }
}

/** The remaining bytes of an entry. */
function roomIn(record: SessionRecord): number {
  return MAX_ENTRY_BYTES - Buffer.byteLength(JSON.stringify(record))
}

/** Selects the items that fit; an item that is too long is skipped. */
function withinRoom(
  items: readonly string[],
  maxBytes: number,
): { kept: readonly string[]; dropped: readonly string[] } {
  const [kept, dropped]: [string[], string[]] = [[], []]
  let room = maxBytes
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes > room) {
      dropped.push(item)
    } else {
      kept.push(item)
      room -= bytes
    }
  }
  return { kept, dropped }
}

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
