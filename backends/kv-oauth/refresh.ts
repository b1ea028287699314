import type { SessionEnd } from '@netscript/plugin-auth-core'
import { decodeJwt } from 'jose'
import type { LeasedTokens, SessionRecord, TokenSession } from './session-store.js'
import { applyRenewal } from './apply-renewal.js'
import { changeSession } from './change-session.js'
import { getGrantConfiguration, keepKeys } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { encodeSubject } from './identity.js'
import { remainingScopes } from './new-session.js'
import type { OAuthProvider } from './provider.js'
import { failureOf, NO_OAUTH_ERROR } from './provider-failure.js'
import {
  checkIdToken,
  nextTokenRefresh,
  providerTokens,
  revokeAtProvider,
  type Tokens,
} from './tokens.js'

/** Longer than the time limit of a request, so that a lease never expires while its holder waits. */
const LEASE_MS = 30_000
const BACK_OFF_MS = 30_000
const BACK_OFF_MAX_MS = 15 * 60_000
/** Number of refusals without an OAuth error that end a session, and the time that they must span. */
const MAX_REFUSALS = 3
const REFUSALS_SPAN_MS = 10 * 60_000

type Renewal =
  | { tokens: Tokens }
  | { ended: string }
  /** Status 400 or 401 without an error code of RFC 6749 section 5.2. */
  | { refused: unknown }
  /** Without a response it is unknown whether the provider has rotated the tokens. */
  | { failed: unknown; answered: boolean }

/** How a refresh went. `busy`: another process refreshes the tokens, or has just done so. */
export type RefreshOutcome = 'renewed' | 'busy' | 'failed' | 'lost' | 'ended'

/** How a refresh of the tokens of a sign-in went, and the session, `undefined` if it has ended. */
interface RefreshedSession {
  readonly outcome: RefreshOutcome
  readonly record: SessionRecord | undefined
}

/**
 * Refreshes the provider tokens of a session (RFC 6749 section 6). One process holds a lease and calls
 * the provider; others continue with the current tokens. An unreachable or slow provider does not end
 * the session; a rejected grant does.
 *
 * A provider that rotates refresh tokens treats a reused one as stolen. If the response of an earlier
 * refresh was lost or could not be stored, `invalid_grant` therefore says nothing about the grant. A
 * lease that was never released indicates such a refresh.
 *
 * Some servers reject a grant with status 400 and no OAuth error, but so does a broken proxy. Such
 * refusals end a session only if they persist while the same provider refreshes the tokens of other
 * sessions.
 *
 * @param seen The access token that is due; if another is stored meanwhile, nothing is refreshed.
 */
export async function refreshSession(
  context: KvOAuthContext,
  record: SessionRecord,
  seen?: string,
): Promise<RefreshedSession> {
  const provider = context.providers.get(record.providerId)
  const held = provider && (await leaseDue(context, record, provider.id, seen))
  if (!provider || !held) return { outcome: 'busy', record }
  const fields = { sessionId: record.id, provider: provider.id }
  const notRenewed = async (
    outcome: RefreshOutcome,
    change: (current: SessionRecord) => Partial<SessionRecord>,
  ): Promise<RefreshedSession> => ({
    outcome,
    record: await changeSession(context, record, 'tokens-not-renewed', change),
  })
  const withoutTokens = (): Promise<RefreshedSession> =>
    notRenewed('lost', () => ({ tokenRefreshAt: record.absoluteExpiresAt }))
  const end = async (
    reason: string,
    how: SessionEnd = 'ended-by-provider',
  ): Promise<RefreshedSession> => {
    await context.sessions.revoke(record.id, how)
    context.log.info({ ...fields, event: 'session.ended', reason }, 'session ended')
    return { outcome: 'ended', record: undefined }
  }
  if (held.refreshToken === undefined) {
    context.log.warn(
      { ...fields, code: 'AUTH_KEY_MISSING' },
      'The refresh token cannot be opened: its key is no longer in the keyring.',
    )
    return withoutTokens()
  }
  const renewal = await renew(context, provider, held.refreshToken, record.subject)
  if ('ended' in renewal && renewal.ended === 'invalid_grant' && held.abandoned) {
    context.log.warn(fields, 'The renewed tokens were lost: the session goes on without them.')
    return withoutTokens()
  }
  if ('ended' in renewal) return end(renewal.ended)
  if ('refused' in renewal) {
    const now = context.now()
    const { count, since } = record.tokenRefusals ?? { count: 0, since: now }
    context.log.warn(
      { ...fields, ...failureOf(renewal.refused), err: renewal.refused, refusals: count + 1 },
      'The provider refused to renew the tokens and gave no OAuth error.',
    )
    if (count + 1 >= MAX_REFUSALS && now - since >= REFUSALS_SPAN_MS) {
      // This session was last refreshed before the refusals, so any refresh since is of another one.
      const renewsOthers = await context.audit.tokensRenewed(provider.id, now - since)
      if (renewsOthers && !held.abandoned) return end('refresh-refused')
      context.log.warn(fields, 'The session goes on without tokens of the provider.')
      return withoutTokens()
    }
    if (!held.abandoned) await context.tokens.release(record, provider.id)
    return notRenewed('failed', (current) => ({
      ...backOff(current, now),
      tokenRefusals: { count: count + 1, since },
    }))
  }
  if ('failed' in renewal) {
    context.log.warn(
      { ...fields, ...failureOf(renewal.failed), err: renewal.failed },
      'The provider did not renew the tokens.',
    )
    if (renewal.answered && !held.abandoned) await context.tokens.release(record, provider.id)
    return notRenewed('failed', (current) => ({
      ...backOff(current, context.now()),
      tokenRefusals: undefined,
    }))
  }
  const { tokens } = renewal
  // Without rotation the response has no refresh token: keep the old one, and the last id_token.
  const { abandoned: _, expiresAt: __, ...kept } = held
  const scopes = remainingScopes(record, tokens)
  const merged = { ...kept, ...providerTokens(tokens, scopes, context.now()) }
  if (!(await context.tokens.replace(record, provider.id, merged))) {
    await revokeAtProvider(context, provider, merged)
    return { outcome: 'ended', record: undefined }
  }
  const tokenRefreshAt = nextTokenRefresh(tokens, merged.refreshToken, context.now())
  const renewed = await applyRenewal(context, provider, record, tokens, (current) => ({
    scopes: remainingScopes(current, tokens),
    tokenRefreshAt: tokenRefreshAt ?? record.absoluteExpiresAt,
    tokenRefreshFailures: 0,
    tokenRefusals: undefined,
  }))
  return renewed && 'refused' in renewed
    ? end(renewed.refused, 'not-admitted')
    : { outcome: 'renewed', record: renewed }
}

/**
 * Refreshes the tokens of a linked account. A rejected grant ends nothing but the tokens: the user
 * signed in with another account.
 */
export async function refreshLinkedTokens(
  context: KvOAuthContext,
  session: TokenSession,
  provider: OAuthProvider,
  seen?: string,
): Promise<RefreshOutcome> {
  const held = await leaseDue(context, session, provider.id, seen)
  if (!held) return 'busy'
  const fields = { sessionId: session.id, provider: provider.id }
  const { abandoned, expiresAt: _, ...kept } = held
  const renewal: Renewal =
    kept.refreshToken === undefined
      ? { ended: 'no-refresh-token' }
      : await renew(context, provider, kept.refreshToken, subjectOf(kept.idToken))
  if ('ended' in renewal) {
    context.log.info({ ...fields, reason: renewal.ended }, 'The tokens of a linked account ended.')
    await context.tokens.replace(session, provider.id, {})
    return 'lost'
  }
  if (!('tokens' in renewal)) {
    const err = 'refused' in renewal ? renewal.refused : renewal.failed
    context.log.warn(
      { ...fields, ...failureOf(err), err },
      'The provider did not renew the tokens of a linked account.',
    )
    const isUnknown = 'failed' in renewal && !renewal.answered
    if (!isUnknown && !abandoned) await context.tokens.release(session, provider.id)
    return 'failed'
  }
  const { tokens } = renewal
  const scopes = remainingScopes({ scopes: kept.scopes ?? [] }, tokens)
  const merged = { ...kept, ...providerTokens(tokens, scopes, context.now()) }
  if (await context.tokens.replace(session, provider.id, merged)) return 'renewed'
  if (await context.sessions.get(session.id)) return 'busy'
  await revokeAtProvider(context, provider, merged)
  return 'ended'
}

/** The encoded subject of a stored id_token, which was verified at the sign-in. */
function subjectOf(idToken: string | undefined): string | undefined {
  try {
    const { sub } = decodeJwt(idToken ?? '')
    return sub === undefined ? undefined : encodeSubject(sub)
  } catch {
    return undefined
  }
}

/** Takes the lease, unless another process has already renewed the tokens that were seen. */
async function leaseDue(
  { tokens }: Pick<KvOAuthContext, 'tokens'>,
  session: TokenSession,
  providerId: string,
  seen: string | undefined,
): Promise<LeasedTokens | undefined> {
  const held = await tokens.lease(session, providerId, LEASE_MS)
  if (!held || held.abandoned || seen === undefined || held.accessToken === seen) return held
  await tokens.release(session, providerId)
  return undefined
}

/** @param expected The encoded subject of the account; `undefined` if it is not known. */
async function renew(
  context: KvOAuthContext,
  provider: OAuthProvider,
  refreshToken: string,
  expected: string | undefined,
): Promise<Renewal> {
  try {
    const client = await import('openid-client')
    const configuration = await getGrantConfiguration(provider, context)
    try {
      const tokens = await client.refreshTokenGrant(configuration, refreshToken)
      checkIdToken(provider, tokens, context.now())
      keepKeys(provider, client, configuration)
      const subject = tokens.claims()?.sub
      // The subject must be that of the original id_token (OpenID Connect Core section 12.2).
      if (subject !== undefined && expected !== undefined && encodeSubject(subject) !== expected) {
        return { ended: 'subject-changed' }
      }
      return { tokens }
    } catch (error) {
      if (!(error instanceof client.ResponseBodyError)) return { failed: error, answered: false }
      if (error.error === 'invalid_grant') return { ended: 'invalid_grant' }
      return error.error === NO_OAUTH_ERROR ? { refused: error } : { failed: error, answered: true }
    }
  } catch (error) {
    // The metadata could not be read, so no refresh was sent.
    return { failed: error, answered: true }
  }
}

function backOff(current: SessionRecord, now: number): Partial<SessionRecord> {
  const failures = (current.tokenRefreshFailures ?? 0) + 1
  return { tokenRefreshFailures: failures, tokenRefreshAt: now + backOffMs(failures) }
}

const backOffMs = (failures: number): number =>
  Math.min(BACK_OFF_MS * 2 ** (failures - 1), BACK_OFF_MAX_MS)

/**
 * When a failed refresh may be repeated for a caller that needs the token now: earlier than for the
 * session, which does without. `undefined` if none failed.
 */
export function nextRefreshOnDemand(record: SessionRecord): number | undefined {
  const { tokenRefreshFailures: failures = 0, tokenRefreshAt } = record
  return failures > 0 && tokenRefreshAt !== undefined
    ? tokenRefreshAt - backOffMs(failures) + BACK_OFF_MS
    : undefined
}
