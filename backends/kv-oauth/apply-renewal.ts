import { type Admitted, admitAgain, needsMore } from './admit.js'
import { changeSession } from './change-session.js'
import { getClientConfiguration } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { type RenewedClaims, userInfoAgain } from './identity.js'
import type { OAuthProvider } from './provider.js'
import { failureOf } from './provider-failure.js'
import { rolesFrom, validRoles } from './roles.js'
import { rolesBySource, rolesOf } from './session-roles.js'
import type { SessionRecord } from './session-store.js'
import type { Tokens } from './tokens.js'

/** How long a session goes on while it cannot be found out whether its user is still admitted. */
const UNDECIDED_MAX_MS = 24 * 60 * 60_000

/**
 * Judges a session whose tokens were renewed and stores what changed: what `settled` returns, and the
 * roles. What the id_token lacks is asked for at the user info endpoint. Returns why the session must end
 * if the user is no longer admitted.
 */
export async function applyRenewal(
  context: KvOAuthContext,
  provider: OAuthProvider,
  record: SessionRecord,
  tokens: Tokens,
  settled: (current: SessionRecord) => Partial<SessionRecord>,
): Promise<SessionRecord | { refused: string } | undefined> {
  const idToken = { claims: tokens.claims() }
  const asksProvider = lacksRoles(provider, record, idToken) || needsMore(provider, record, idToken)
  if (!asksProvider && !context.admit) {
    const verdict = await admitAgain(context, provider, record, idToken)
    if (verdict === 'refused') return { refused: 'not-admitted' }
    return changeSession(context, record, 'tokens-renewed', (current) => ({
      ...settled(current),
      ...renewedRoles(context, provider, { current, idToken, told: idToken, verdict }),
      undecidedSince: undefined,
    }))
  }
  // Asking may take seconds, in which no other request should renew the tokens again.
  const renewed = await changeSession(context, record, 'tokens-renewed', settled)
  if (!renewed) return undefined
  const told = asksProvider ? await askProvider(context, provider, record, tokens) : idToken
  const verdict = await admitAgain(context, provider, renewed, told)
  if (verdict === 'refused') return { refused: 'not-admitted' }
  const now = context.now()
  const undecidedSince = verdict.isUndecided ? (renewed.undecidedSince ?? now) : undefined
  const decideBy = undecidedSince === undefined ? Infinity : undecidedSince + UNDECIDED_MAX_MS
  if (now >= decideBy) return { refused: 'admission-undecided' }
  return changeSession(context, renewed, 'roles-changed', (current) => {
    const changes = {
      ...renewedRoles(context, provider, { current, idToken, told, verdict }),
      undecidedSince,
      tokenRefreshAt: Math.min(current.tokenRefreshAt ?? current.absoluteExpiresAt, decideBy),
    }
    return isSame(current, { ...current, ...changes }) ? undefined : changes
  })
}

const isSame = (one: SessionRecord, other: SessionRecord): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

/** Whether roles that came from the user info have to be asked for again. */
const lacksRoles = (
  provider: OAuthProvider,
  { rolesFrom: source }: SessionRecord,
  { claims }: RenewedClaims,
): boolean => source === 'user-info' && !(claims && rolesFrom(provider, claims))

/** Asks the user info endpoint. If that fails, `failure` is set and the claims are those of the id_token. */
async function askProvider(
  context: KvOAuthContext,
  provider: OAuthProvider,
  record: SessionRecord,
  tokens: Tokens,
): Promise<RenewedClaims> {
  try {
    const configuration = await getClientConfiguration(provider, context)
    return await userInfoAgain(provider, configuration, tokens, record.subject)
  } catch (failure) {
    context.log.warn(
      { sessionId: record.id, provider: provider.id, ...failureOf(failure), err: failure },
      'The provider gave no user info: the session goes on, and it is asked for again.',
    )
    return { claims: tokens.claims(), failure }
  }
}

/**
 * The roles after a renewal. An id_token without the claim removes those of the provider, because
 * providers omit the claim for users without roles. Roles from the user info are those that it has now.
 */
function renewedRoles(
  { log }: KvOAuthContext,
  provider: OAuthProvider,
  {
    current,
    idToken,
    told,
    verdict,
  }: { current: SessionRecord; idToken: RenewedClaims; told: RenewedClaims; verdict: Admitted },
): Pick<SessionRecord, 'roles' | 'rolesBySource'> {
  const before = rolesBySource(current)
  const isAsked = current.rolesFrom === 'user-info'
  const source = isAsked ? told.userInfo : undefined
  const found =
    (idToken.claims && rolesFrom(provider, idToken.claims)) ??
    (source === undefined ? undefined : rolesFrom(provider, source))
  const isKept = !found && (isAsked ? source === undefined : !idToken.claims)
  const { roles } = verdict.grant
  return rolesOf(
    current,
    {
      operator: before.operator,
      admit: roles ? validRoles(roles) : before.admit,
      provider: isKept ? { roles: before.provider, refused: 0 } : found,
    },
    log,
  )
}
