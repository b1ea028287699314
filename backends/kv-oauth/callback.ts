import { isDeepStrictEqual } from 'node:util'
import {
  AuthError,
  type AuthnRequest,
  type CallbackResult,
  isAuthError,
  setCookie,
} from '@netscript/plugin-auth-core'
import { codeOf } from '@netscript/plugin-auth-core/internal'
import { linkAccount } from './accounts.js'
import { assertAdmitted, refusedRule } from './admit.js'
import { assertAuthenticated, readAuthentication } from './authentication.js'
import { exchangeCode, refusedAuthorization } from './code-exchange.js'
import { getClientConfiguration } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { emit } from './events.js'
import { type ProviderIdentity, resolveIdentity } from './identity.js'
import { admittedProfile, grantedScopes, newSession } from './new-session.js'
import type { OAuthProvider } from './provider.js'
import { failureOf, refusalIn, refusalLabel } from './provider-failure.js'
import type { SessionRecord } from './session-store.js'
import { sessionIdOf } from './session-cookie.js'
import type { SignInTransaction } from './sign-in.js'
import { sessionChanged } from './storage/session-refusal.js'
import { providerTokens } from './tokens.js'
import { SIGN_IN, takeTransaction } from './transaction.js'

/**
 * Completes the flow: takes the transaction, exchanges the code, resolves the user, opens a
 * session.
 */
export async function handleCallback(
  context: KvOAuthContext,
  request: AuthnRequest,
  query: URLSearchParams,
): Promise<CallbackResult> {
  const { payload: transaction, setCookies } = await takeTransaction<SignInTransaction>(
    context,
    SIGN_IN,
    request,
    query.get('state') ?? undefined,
  ).catch((error: unknown) => {
    context.metrics.signIn('unknown', codeOf(error))
    throw error
  })
  let verified: ProviderIdentity | undefined
  try {
    const provider = sameProvider(context, transaction, request, query)
    context.trace?.annotate({ 'auth.provider': provider.id })
    if (query.has('error')) throw refusedAuthorization(provider, transaction, query)
    const { tokens, identity } = await context.gate.run(
      provider.id,
      request.clientAddress,
      async () => {
        const tokens = await exchangeCode(context, provider, transaction, query)
        const configuration = await getClientConfiguration(provider, context)
        const identity = await resolveIdentity(provider, configuration, tokens, context.log)
        return { tokens, identity }
      },
    )
    verified = identity
    const authenticated = readAuthentication(tokens.claims(), context.now())
    assertAuthenticated(transaction.authentication, authenticated, context.now())
    const grant = await assertAdmitted(context, provider, identity)
    const bound =
      transaction.boundTo && (await assertSameSession(context, request, transaction.boundTo))
    const granted = grantedScopes(provider, transaction, tokens)
    const stored = providerTokens(tokens, granted, context.now())
    const { issuer, subject } = identity
    const result = { subject, providerId: provider.id, returnTo: transaction.returnTo }
    if (transaction.purpose === 'link') {
      if (!bound) throw sessionChanged()
      await linkAccount(context, bound, { providerId: provider.id, ...identity }, stored)
      context.metrics.signIn(provider.id, 'linked')
      return { ...result, sessionId: bound.id, userId: bound.userId, setCookies }
    }
    const profile = admittedProfile(identity.profile, grant)
    const { token, sessionId } = context.crypto.issueSessionToken()
    const previousSessionId = sessionIdOf(context, request)
    const { session, isNew, evicted } = await context.signIns.complete({
      identity: {
        providerId: provider.id,
        ...identity,
        profile,
        ...(transaction.boundTo && { expectedUserId: transaction.boundTo.userId }),
      },
      sessionOf: ({ userId, roles: operatorRoles }) =>
        newSession(context, {
          ...{ request, provider, transaction, tokens, identity, authenticated, grant },
          ...{ sessionId, userId, operatorRoles },
        }),
      tokens: stored,
      // OWASP ASVS 5.0 7.2.4: a new sign-in ends the browser's previous session.
      ...(previousSessionId !== undefined && { previousSessionId }),
      maxSessions: context.policy.maxPerUser,
    })
    const { userId } = session
    const known = { ...profile, userId, providerId: provider.id, issuer, subject }
    if (evicted > 0) {
      context.log.info({ event: 'session.evicted', userId, ended: evicted }, 'too many sessions')
    }
    context.metrics.signIn(provider.id, 'completed')
    context.trace?.annotate({ 'auth.subject': session.auditSubject })
    context.log.info(
      { event: 'sign-in.completed', provider: provider.id, userId, sessionId },
      'signed in',
    )
    const { roles, scopes } = session
    if (isNew) await emit(context, 'onUserCreated', known)
    await emit(context, 'onSignIn', { ...known, sessionId, roles, scopes, isFirst: isNew })
    return {
      ...result,
      sessionId,
      userId,
      setCookies: [
        ...setCookies,
        setCookie(context.cookies.sessionName, token, {
          secure: context.cookies.secure,
          maxAge: Math.floor(context.policy.absoluteMs / 1000),
        }),
      ],
    }
  } catch (error) {
    await recordFailure(context, transaction.providerId, error, verified)
    throw withCookies(error, setCookies)
  }
}

/**
 * Recorded only once the identity is verified: otherwise anonymous callers could grow the trail. If
 * recording fails, the user still gets the sign-in's own error.
 */
async function recordFailure(
  { audit, log, metrics, subjectHash }: KvOAuthContext,
  providerId: string,
  error: unknown,
  identity: ProviderIdentity | undefined,
): Promise<void> {
  const reason = codeOf(error)
  const refusal = refusalIn(error)
  metrics.signIn(providerId, reason)
  if (refusal) metrics.providerRefused(providerId, refusalLabel(refusal))
  log.info(
    {
      event: 'sign-in.failed',
      provider: providerId,
      reason,
      ...(isAuthError(error) && failureOf(error)),
      ...refusedRule(error),
    },
    'sign-in failed',
  )
  if (!identity) return
  await audit
    .record({
      type: 'sign-in.failed',
      providerId,
      subjectHash: subjectHash(identity.issuer, identity.subject),
      reason,
    })
    .catch((err: unknown) => log.error({ err }, 'The audit trail could not be written.'))
}

/** RFC 9700 section 4.4: the response must arrive at the redirect URI sent to the provider. */
function sameProvider(
  { providers }: KvOAuthContext,
  { providerId, redirectUri }: SignInTransaction,
  request: AuthnRequest,
  query: URLSearchParams,
): OAuthProvider {
  const provider = providers.get(providerId)
  if (!provider || !isAt(redirectUri, providers, request, query)) {
    throw new AuthError(
      'AUTH_TRANSACTION_MISSING',
      'The answer did not come from the provider that was asked. Start the sign-in again.',
    )
  }
  return provider
}

/**
 * Whether the request is for the redirect URI: its path and all its parameters. Providers may add
 * parameters, but none that distinguishes another provider's redirect URI.
 */
function isAt(
  redirectUri: string,
  providers: ReadonlyMap<string, OAuthProvider>,
  { path }: AuthnRequest,
  query: URLSearchParams,
): boolean {
  const { pathname, searchParams } = new URL(redirectUri)
  // An app may have mounted the API below a path of its own.
  if (!pathname.endsWith(path)) return false
  const others = [...providers.values()].map((provider) => new URL(provider.redirectUri))
  const names = new Set(['provider', ...searchParams.keys()])
  for (const other of others) {
    if (other.pathname === pathname)
      [...other.searchParams.keys()].forEach((name) => names.add(name))
  }
  return [...names].every((name) =>
    isDeepStrictEqual(query.getAll(name), searchParams.getAll(name).filter(Boolean)),
  )
}

/**
 * Returns the session that started the sign-in, if it is still live in this browser.
 *
 * @throws AuthError `AUTH_SESSION_CHANGED`
 */
async function assertSameSession(
  context: KvOAuthContext,
  request: AuthnRequest,
  { sessionId, userId }: NonNullable<SignInTransaction['boundTo']>,
): Promise<SessionRecord> {
  const isSame = sessionIdOf(context, request) === sessionId
  const session = isSame ? await context.sessions.get(sessionId) : undefined
  if (session?.userId !== userId) throw sessionChanged()
  return session
}

/** A transaction is single-use regardless of its outcome, so every response clears its cookie. */
function withCookies(error: unknown, setCookies: readonly string[]): unknown {
  if (!isAuthError(error)) return error
  return new AuthError(error.code, error.detail, {
    cause: error.cause,
    setCookies: [...setCookies, ...error.setCookies],
    ...(error.data !== undefined && { data: error.data }),
  })
}
