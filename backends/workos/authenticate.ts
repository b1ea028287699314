import { type AuthSession, type AuthUser, mapSessionToPrincipal } from '@netscript/auth-contract'
import {
  type AnonymousReason,
  AuthError,
  type AuthnRequest,
  type AuthnResult,
  type Principal,
} from '@netscript/plugin-auth-core'
import type { AccessTokenClaims } from './access-token.js'
import { workosUnavailable } from './client.js'
import { type Identified, identify, type WorkosContext } from './identify.js'
import type { RefreshOutcome } from './refresh.js'
import { openSealedSession, type SealedSession } from './session-cookie.js'
import { isoInstant } from '@netscript/plugin-auth-core/internal'

type CookieCaller = Extract<Identified, { by: 'cookie' }>

/**
 * Authenticates a request. It calls WorkOS only to fetch the keys, which are cached, and to refresh
 * the access token in the cookie.
 *
 * @throws AuthError `STORE_UNAVAILABLE`
 */
export async function authenticate(
  context: WorkosContext,
  request: AuthnRequest,
): Promise<AuthnResult> {
  const caller = await identify(context, request)
  if (caller.by === 'nothing') {
    if (caller.reason === 'credential-invalid') {
      const { code } = caller
      context.settings.log.info({ code, reason: caller.reason }, 'A credential was refused.')
    }
    return anonymous(caller.reason)
  }
  if (context.ended.has(caller.claims.sid)) {
    return anonymous('session-revoked', caller.by === 'cookie' ? context.cookie.clear() : [])
  }
  if (caller.by === 'bearer') {
    return signedIn(caller.claims, { id: caller.claims.sub }, 'bearer')
  }
  return isDue(context, caller) ? unlessEnded(context, caller) : asItIs(caller)
}

/**
 * Refreshes, then checks the ended sessions again: a session that ends during the call to WorkOS must
 * not be restored by a new cookie, neither with a result nor with an error.
 */
async function unlessEnded(context: WorkosContext, caller: CookieCaller): Promise<AuthnResult> {
  const [answer] = await Promise.allSettled([renewed(context, caller)])
  if (context.ended.has(caller.claims.sid)) {
    return anonymous('session-revoked', context.cookie.clear())
  }
  if (answer.status === 'rejected') throw answer.reason
  return answer.value
}

const anonymous = (reason: AnonymousReason, setCookies: readonly string[] = []): AuthnResult => ({
  ok: false,
  reason,
  setCookies,
})

function signedIn(
  claims: AccessTokenClaims,
  user: AuthUser,
  scheme: Principal['scheme'],
  session?: { authenticationMethod?: string | undefined; setCookies?: readonly string[] },
): AuthnResult {
  const authSession = toAuthSession(claims, session?.authenticationMethod)
  return {
    ok: true,
    session: authSession,
    user,
    principal: { ...mapSessionToPrincipal(authSession), scheme },
    setCookies: session?.setCookies ?? [],
  }
}

function isDue({ settings }: WorkosContext, { claims, expired }: CookieCaller): boolean {
  if (settings.refresh === 'never') return false
  // A lead longer than the lifetime of the token would refresh it on every request.
  const leadMs = Math.min(settings.refreshAheadMs, ((claims.exp - claims.iat) * 1000) / 2)
  return expired || claims.exp * 1000 - Date.now() < leadMs
}

function asItIs({ claims, expired, session }: CookieCaller): AuthnResult {
  if (expired) return anonymous('session-expired')
  return signedIn(claims, toAuthUser(session), 'custom', session)
}

async function renewed(context: WorkosContext, caller: CookieCaller): Promise<AuthnResult> {
  const { cookie, refresher, settings } = context
  let outcome: RefreshOutcome
  try {
    outcome = await refresher.refresh(caller.session, caller.sealed)
  } catch (error) {
    if (caller.expired) throw error
    settings.log.warn({ err: error, code: 'REFRESH_FAILED' }, 'The session could not be renewed.')
    return asItIs(caller)
  }
  if (outcome.status === 'renewed') return fromRenewed(context, caller, outcome.sealed)
  settings.log.info({ code: outcome.reason }, 'WorkOS refused to renew a session.')
  // Another process may have used the refresh token. The access token is valid until it expires.
  return caller.expired ? anonymous('session-expired', cookie.clear()) : asItIs(caller)
}

/** The old refresh token is used up, so every outcome from here on must set the new cookie. */
async function fromRenewed(
  context: WorkosContext,
  caller: CookieCaller,
  sealed: string,
): Promise<AuthnResult> {
  const setCookies = context.cookie.set(sealed)
  const session = await openSealedSession(
    context.userManagement,
    context.settings.cookiePassword,
    sealed,
  )
  const claims = session && (await verifiedClaims(context, session, setCookies))
  if (!session || claims?.sub !== caller.claims.sub || session.user.id !== claims.sub) {
    context.settings.log.error(
      { code: 'RENEWED_TOKEN_REFUSED' },
      'WorkOS sent an access token that is not acceptable. Compare its issuer with WORKOS_ISSUER.',
    )
    return anonymous('credential-invalid', setCookies)
  }
  const authenticationMethod = session.authenticationMethod ?? caller.session.authenticationMethod
  return signedIn(claims, toAuthUser(session), 'custom', { authenticationMethod, setCookies })
}

async function verifiedClaims(
  { verifier }: WorkosContext,
  { accessToken }: SealedSession,
  setCookies: readonly string[],
): Promise<AccessTokenClaims | undefined> {
  try {
    const check = await verifier.verify(accessToken)
    return check.status === 'valid' ? check.claims : undefined
  } catch (error) {
    throw workosUnavailable(error instanceof AuthError ? error.cause : error, setCookies)
  }
}

/** Maps a verified access token to a session. The id is its `sid`, which is not a credential. */
function toAuthSession(claims: AccessTokenClaims, authenticationMethod?: string): AuthSession {
  return {
    id: claims.sid,
    userId: claims.sub,
    subject: claims.sub,
    providerId: 'workos',
    state: 'active',
    scopes: claims.permissions,
    roles: [...new Set([...(claims.role ? [claims.role] : []), ...claims.roles])],
    claims: {
      ...(claims.org_id !== undefined && { organizationId: claims.org_id }),
      ...(claims.entitlements.length > 0 && { entitlements: claims.entitlements }),
      ...(claims.feature_flags.length > 0 && { featureFlags: claims.feature_flags }),
      ...(claims.act !== undefined && { impersonated: true }),
      ...(authenticationMethod !== undefined && { authenticationMethod }),
    },
    issuedAt: isoInstant(claims.iat * 1000),
    expiresAt: isoInstant(claims.exp * 1000),
  }
}

/** Maps the user of a sealed session. */
function toAuthUser({ user }: SealedSession): AuthUser {
  const displayName = [user.firstName, user.lastName].filter(Boolean).join(' ')
  return {
    id: user.id,
    ...(displayName !== '' && { displayName }),
    ...(user.email !== undefined && { email: user.email }),
    ...(user.emailVerified !== undefined && { emailVerified: user.emailVerified }),
    ...(user.profilePictureUrl !== undefined && { imageUrl: user.profilePictureUrl }),
  }
}
