import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderToken } from '@netscript/auth-contract'
import { AuthError, providerError, type ProviderTokenOptions } from '@netscript/plugin-auth-core'
import { isoInstant } from '@netscript/plugin-auth-core/internal'
import type { KvOAuthContext } from './context.js'
import type { OAuthProvider } from './provider.js'
import {
  nextRefreshOnDemand,
  refreshLinkedTokens,
  type RefreshOutcome,
  refreshSession,
} from './refresh.js'
import type { ProviderTokens, SessionRecord } from './session-store.js'
import { chooseProvider, chooseScopes } from './sign-in.js'

/** A token that expires sooner is renewed first: the caller needs time to use it. */
const MIN_REMAINING_MS = 30_000
/** How long to wait for another process that renews the tokens; longer than a request takes. */
const WAIT_MS = 12_000
const POLL_MS = 100

/**
 * Returns the access token of a live session at a provider, renewed if it is about to expire. Of
 * concurrent callers one renews; the others get the current token while it is valid, and wait otherwise.
 *
 * @throws AuthError `UNAUTHORIZED` if the session has ended, `VALIDATION_ERROR`,
 * `PROVIDER_TOKEN_UNAVAILABLE`, `AUTH_PROVIDER_ERROR`, `STORE_UNAVAILABLE`
 */
export async function providerToken(
  context: KvOAuthContext,
  { id }: { readonly id: string },
  { providerId, scopes: needed = [] }: ProviderTokenOptions = {},
): Promise<ProviderToken> {
  const deadline = performance.now() + WAIT_MS
  let isRenewed = false
  for (;;) {
    const record = await context.sessions.get(id)
    if (!record) throw sessionEnded()
    const provider = chooseProvider(context, providerId ?? record.providerId)
    const isLinked = provider.id !== record.providerId
    const tokens = await context.tokens.read(record, provider.id)
    const scopes = (isLinked ? tokens?.scopes : tokens && record.scopes) ?? []
    const missing = needed.filter((scope) => !scopes.includes(scope))
    const unavailable = (): AuthError =>
      tokenUnavailable(context, provider, { record, scopes, missing })
    if (tokens?.accessToken === undefined || missing.length > 0) throw unavailable()
    const remaining = remainingMs(context, record, tokens)
    const answer = (): ProviderToken => ({
      accessToken: tokens.accessToken ?? '',
      providerId: provider.id,
      scopes: [...scopes],
      ...(tokens.expiresAt !== undefined && { expiresAt: isoInstant(tokens.expiresAt) }),
    })
    const { tokenRefreshAt } = record
    // The sign-in's tokens are not renewed in their first half, or during a back-off.
    const isDue =
      remaining < MIN_REMAINING_MS &&
      (isLinked || tokenRefreshAt === undefined || context.now() >= tokenRefreshAt)
    if (remaining > 0 && (!isDue || isRenewed)) return answer()

    const outcome = isRenewed
      ? 'failed'
      : await renewOnce(context, { record, provider, tokens, isLinked })
    if (outcome === 'renewed') isRenewed = true
    else if (outcome === 'ended') throw sessionEnded()
    else if (remaining > 0) return answer()
    else if (outcome === 'lost') throw unavailable()
    else if (outcome === 'failed' || performance.now() > deadline) {
      throw providerError(
        provider.id,
        'The token has expired, and the provider could not renew it. Try again in a moment.',
      )
    } else await delay(POLL_MS)
  }
}

/** How long the access token is still valid, by what is stored; `Infinity` without a limit. */
function remainingMs(
  { now }: KvOAuthContext,
  record: SessionRecord,
  { expiresAt, scopes }: ProviderTokens,
): number {
  if (expiresAt !== undefined) return expiresAt - now()
  if (scopes !== undefined) return Infinity
  // An earlier version stored it. It expires after it is due, unless a refresh has failed since.
  const { tokenRefreshAt, tokenRefreshFailures = 0, absoluteExpiresAt } = record
  const isDated = tokenRefreshAt !== undefined && tokenRefreshAt < absoluteExpiresAt
  return isDated && tokenRefreshFailures === 0 && tokenRefreshAt > now() ? Infinity : 0
}

async function renewOnce(
  context: KvOAuthContext,
  {
    record,
    provider,
    tokens,
    isLinked,
  }: {
    record: SessionRecord
    provider: OAuthProvider
    tokens: ProviderTokens
    isLinked: boolean
  },
): Promise<RefreshOutcome> {
  if (tokens.refreshToken === undefined) return 'lost'
  if (isLinked) return refreshLinkedTokens(context, record, provider, tokens.accessToken)
  // The session goes on without tokens, see refreshSession.
  if (record.tokenRefreshAt === record.absoluteExpiresAt) return 'lost'
  const retryAt = nextRefreshOnDemand(record)
  if (retryAt !== undefined && context.now() < retryAt) return 'failed'
  const { outcome, record: refreshed } = await refreshSession(context, record, tokens.accessToken)
  return refreshed ? outcome : 'ended'
}

/** The error for a session that is no longer live. */
export const sessionEnded = (): AuthError =>
  new AuthError('UNAUTHORIZED', 'The session has ended. The user must sign in again.')

function tokenUnavailable(
  context: KvOAuthContext,
  provider: OAuthProvider,
  {
    record,
    scopes,
    missing,
  }: { record: SessionRecord; scopes: readonly string[]; missing: readonly string[] },
): AuthError<'PROVIDER_TOKEN_UNAVAILABLE'> {
  const offered = [...provider.scopes, ...provider.additionalScopes]
  const granted = scopes.filter((scope) => offered.includes(scope))
  return new AuthError(
    'PROVIDER_TOKEN_UNAVAILABLE',
    missing.length > 0
      ? 'The user has not granted these scopes. Start a sign-in with data.signin in the browser of the user.'
      : 'There is no valid token of this provider. Start a sign-in with data.signin in the browser of the user.',
    {
      data: {
        providerId: provider.id,
        missingScopes: [...missing],
        signin: {
          providerId: provider.id,
          // Refuses scopes that a sign-in would refuse.
          scopes: [
            ...chooseScopes(context, provider, [...provider.scopes, ...granted, ...missing]),
          ],
          ...(provider.id !== record.providerId && { link: true as const }),
        },
      },
    },
  )
}
