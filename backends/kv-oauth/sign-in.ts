import { hash } from 'node:crypto'
import type { ServerMetadata } from 'openid-client'
import {
  AuthError,
  type AuthnRequest,
  type InteractiveFlowPort,
  providerError,
  type SignInResult,
} from '@netscript/plugin-auth-core'
import { codeOf } from '@netscript/plugin-auth-core/internal'
import { type RequiredAuthentication, requiredAuthentication } from './authentication.js'
import { getClientConfiguration, metadataOf, MISCONFIGURED } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import type { OAuthProvider } from './provider.js'
import { failureOf } from './provider-failure.js'
import type { SessionRecord } from './session-store.js'
import { sessionIdOf } from './session-cookie.js'
import { openTransaction, SIGN_IN } from './transaction.js'

/** The state of a sign-in for its callback; sealed in the store, never in the browser. */
export interface SignInTransaction {
  providerId: string
  redirectUri: string
  returnTo: string
  /** Absent for providers without PKCE (`OAuthProvider.pkce`). */
  codeVerifier?: string
  nonce?: string
  /** The requested scopes; the provider may grant others. */
  scopes: readonly string[]
  /** What the caller required of the authentication. */
  authentication?: RequiredAuthentication
  /** `link`: the account is linked to the user of `boundTo`, and no session starts. */
  purpose?: 'link'
  /** The session that must still be live in this browser at the callback. */
  boundTo?: { sessionId: string; userId: string }
}

/** Starts the authorization code flow (RFC 6749 section 4.1) with PKCE S256, state and nonce. */
export async function signIn(
  context: KvOAuthContext,
  request: AuthnRequest,
  input: Parameters<InteractiveFlowPort['signIn']>[1],
): Promise<SignInResult> {
  const provider = chooseProvider(context, input.providerId)
  context.trace?.annotate({ 'auth.provider': provider.id })
  try {
    const started = await startAt(provider, context, request, input)
    context.metrics.signIn(provider.id, 'started')
    return started
  } catch (error) {
    const reason = codeOf(error)
    context.metrics.signIn(provider.id, reason)
    if (reason === 'AUTH_PROVIDER_ERROR') {
      context.log.info(
        { event: 'sign-in.failed', provider: provider.id, reason, ...failureOf(error) },
        'sign-in failed',
      )
    }
    throw error
  }
}

async function startAt(
  provider: OAuthProvider,
  context: KvOAuthContext,
  request: AuthnRequest,
  input: Parameters<InteractiveFlowPort['signIn']>[1],
): Promise<SignInResult> {
  const requested = chooseScopes(context, provider, input.scopes)
  const authentication = requiredAuthentication(provider, input, context.now())
  const { linkTo } = input
  const session = linkTo ?? (authentication && (await liveSession(context, request)))
  const boundTo = session && { sessionId: session.id, userId: session.userId }
  const scopes =
    input.scopes || linkTo || session?.providerId !== provider.id
      ? requested
      : withGranted(provider, requested, session.scopes)
  const [client, configuration] = await Promise.all([
    import('openid-client'),
    getClientConfiguration(provider, context),
  ])
  const codeVerifier = provider.pkce ? client.randomPKCECodeVerifier() : undefined
  const nonce = provider.kind === 'oidc' ? client.randomNonce() : undefined
  const transaction: SignInTransaction = {
    providerId: provider.id,
    redirectUri: provider.redirectUri,
    returnTo: input.returnTo,
    scopes,
    ...(codeVerifier !== undefined && { codeVerifier }),
    ...(nonce !== undefined && { nonce }),
    ...(authentication && { authentication }),
    ...(boundTo && { boundTo }),
    ...(linkTo && { purpose: 'link' }),
  }
  const { handle: state, setCookies } = await openTransaction(
    context,
    SIGN_IN,
    request,
    transaction,
  )
  context.log.info({ event: 'sign-in.started', provider: provider.id }, 'sign-in started')
  const parameters = {
    ...provider.authorizationParams,
    ...(linkTo && accountPrompt(provider, metadataOf(configuration))),
    redirect_uri: provider.redirectUri,
    ...(mayAskForQuery(metadataOf(configuration)) && { response_mode: 'query' }),
    scope: scopes.join(' '),
    state,
    ...(codeVerifier !== undefined && {
      code_challenge: challengeOf(codeVerifier),
      code_challenge_method: 'S256',
    }),
    ...(nonce !== undefined && { nonce }),
    ...(input.loginHint !== undefined && { login_hint: input.loginHint }),
    ...(input.prompt !== undefined && { prompt: input.prompt }),
    ...(input.maxAge !== undefined && { max_age: String(input.maxAge) }),
    ...(input.acrValues?.length && { acr_values: input.acrValues.join(' ') }),
    ...(input.uiLocales?.length && { ui_locales: input.uiLocales.join(' ') }),
  }
  const redirectUrl = buildUrl(provider, () =>
    client.buildAuthorizationUrl(configuration, parameters),
  )
  return { providerId: provider.id, redirectUrl, state, setCookies }
}

/** RFC 7636 section 4.2. Synchronous, because openid-client uses another thread, which costs more. */
const challengeOf = (codeVerifier: string): string => hash('sha256', codeVerifier, 'base64url')

export function chooseProvider(
  { providers }: KvOAuthContext,
  id: string | undefined,
): OAuthProvider {
  const chosen = id === undefined ? providers.values().next().value : providers.get(id)
  if (chosen) return chosen
  const known = [...providers.keys()].join(', ')
  throw new AuthError('VALIDATION_ERROR', `There is no such provider. Use one of: ${known}.`, {
    data: { formErrors: [], fieldErrors: { providerId: [`must be one of: ${known}`] } },
  })
}

/** The session of this browser: a sign-in that requires more than it has is a step-up of its user. */
async function liveSession(
  context: KvOAuthContext,
  request: AuthnRequest,
): Promise<SessionRecord | undefined> {
  const sessionId = sessionIdOf(context, request)
  return sessionId === undefined ? undefined : await context.sessions.get(sessionId)
}

/** A step-up replaces the session, which must not lose what the user granted in addition. */
const withGranted = (
  { additionalScopes }: OAuthProvider,
  requested: readonly string[],
  granted: readonly string[],
): readonly string[] => [
  ...new Set([...requested, ...granted.filter((scope) => additionalScopes.includes(scope))]),
]

/**
 * Asks the user which account to link: the provider could otherwise answer for the one that is signed
 * in there, without a word. OpenID Connect requires providers to know `login`, but not
 * `select_account` (Core sections 3.1.2.1 and 15.1).
 */
function accountPrompt(
  { kind, accountPrompt: chosen, authorizationParams }: OAuthProvider,
  metadata: ServerMetadata,
): { prompt?: string } {
  const known = metadata.prompt_values_supported
  const isListed = Array.isArray(known) && known.includes('select_account')
  const usual = kind === 'oauth' ? 'none' : isListed ? 'select_account' : 'login'
  const asked = chosen ?? usual
  if (asked === 'none') return {}
  const others = (authorizationParams.prompt ?? '').split(' ')
  const kept = others.filter((prompt) => !['', 'none', asked].includes(prompt))
  return { prompt: [...kept, asked].join(' ') }
}

/**
 * The scopes to request. `openid` is always included for OIDC providers: it makes the request an OpenID
 * Connect request (Core section 3.1.2.1).
 *
 * @throws AuthError `VALIDATION_ERROR` for a scope that the operator did not configure. Otherwise
 * callers could choose what users are asked to consent to.
 */
export function chooseScopes(
  { log }: KvOAuthContext,
  provider: OAuthProvider,
  requested: readonly string[] | undefined,
): readonly string[] {
  const { id, kind, scopes: configured, additionalScopes } = provider
  const scopes = requested && requested.length > 0 ? requested : configured
  const allowed = new Set([...configured, ...additionalScopes])
  const refused = scopes.filter((scope) => !allowed.has(scope))
  if (refused.length > 0) {
    log.info(
      { event: 'sign-in.scope-refused', provider: id, scope: refused[0] },
      'A sign-in requested a scope that is not configured. To let callers add it, list it in additionalScopes of the provider (NETSCRIPT_AUTH_ADDITIONAL_SCOPES).',
    )
    const names = [...allowed].join(', ')
    throw new AuthError(
      'VALIDATION_ERROR',
      'One of the scopes is not offered at this provider. Leave it out.',
      {
        data: { formErrors: [], fieldErrors: { scopes: [`must be among: ${names}`] } },
      },
    )
  }
  return [...new Set(kind === 'oidc' ? ['openid', ...scopes] : scopes)]
}

/**
 * Whether to request `response_mode=query` explicitly: `form_post` would need SameSite=None cookies. It
 * is omitted if the metadata does not list it, because providers could reject it.
 */
function mayAskForQuery({ response_modes_supported: modes }: ServerMetadata): boolean {
  return modes?.includes('query') ?? true
}

function buildUrl(provider: OAuthProvider, build: () => URL): string {
  try {
    return build().href
  } catch (cause) {
    throw providerError(provider.id, MISCONFIGURED, { cause })
  }
}
