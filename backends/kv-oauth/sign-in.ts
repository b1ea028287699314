import { createHash } from 'node:crypto'
import type { ServerMetadata } from 'openid-client'
import { AuthError, codeOf, providerError } from '../errors.js'
import type { InteractiveFlowPort, SignInResult } from '../port.js'
import type { AuthnRequest } from '../request.js'
import { getClientConfiguration } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import type { OAuthProvider } from './provider.js'
import { openTransaction, SIGN_IN } from './transaction.js'

/** What the callback must know again; sealed in the store, never in the browser. */
export interface SignInTransaction {
  providerId: string
  redirectUri: string
  returnTo: string
  /** Absent for the one kind of provider that refuses PKCE (`OAuthProvider.pkce`). */
  codeVerifier?: string
  nonce?: string
  /** The scopes asked for: what was granted, unless the provider says otherwise. */
  scopes: readonly string[]
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
    context.metrics.signIn(provider.id, codeOf(error))
    throw error
  }
}

async function startAt(
  provider: OAuthProvider,
  context: KvOAuthContext,
  request: AuthnRequest,
  input: Parameters<InteractiveFlowPort['signIn']>[1],
): Promise<SignInResult> {
  const [client, configuration] = await Promise.all([
    import('openid-client'),
    getClientConfiguration(provider, context),
  ])
  const codeVerifier = provider.pkce ? client.randomPKCECodeVerifier() : undefined
  const nonce = provider.kind === 'oidc' ? client.randomNonce() : undefined
  const scopes = chooseScopes(provider, input.scopes)
  const transaction: SignInTransaction = {
    providerId: provider.id,
    redirectUri: provider.redirectUri,
    returnTo: input.returnTo,
    scopes,
    ...(codeVerifier !== undefined && { codeVerifier }),
    ...(nonce !== undefined && { nonce }),
  }
  const { handle: state, setCookies } = await openTransaction(
    context,
    SIGN_IN,
    request,
    transaction,
    provider.id,
  )
  context.log.info({ event: 'sign-in.started', provider: provider.id }, 'sign-in started')
  const parameters = {
    ...provider.authorizationParams,
    redirect_uri: provider.redirectUri,
    ...(mayAskForQuery(configuration.serverMetadata()) && { response_mode: 'query' }),
    scope: scopes.join(' '),
    state,
    ...(codeVerifier !== undefined && {
      code_challenge: challengeOf(codeVerifier),
      code_challenge_method: 'S256',
    }),
    ...(nonce !== undefined && { nonce }),
    ...(input.loginHint !== undefined && { login_hint: input.loginHint }),
  }
  const redirectUrl = buildUrl(provider, () =>
    client.buildAuthorizationUrl(configuration, parameters),
  )
  return { providerId: provider.id, redirectUrl, state, setCookies }
}

/** RFC 7636 section 4.2. The library has it done on another thread, which costs more than doing it. */
const challengeOf = (codeVerifier: string): string =>
  createHash('sha256').update(codeVerifier).digest('base64url')

function chooseProvider({ providers }: KvOAuthContext, id: string | undefined): OAuthProvider {
  const chosen = id === undefined ? providers.values().next().value : providers.get(id)
  if (chosen) return chosen
  const known = [...providers.keys()].join(', ')
  throw new AuthError('VALIDATION_ERROR', `There is no such provider. Use one of: ${known}.`, {
    data: { formErrors: [], fieldErrors: { providerId: [`must be one of: ${known}`] } },
  })
}

/** `openid` makes the request an OpenID Connect request (Core 3.1.2.1): it cannot be left out. */
function chooseScopes(
  provider: OAuthProvider,
  wanted: readonly string[] | undefined,
): readonly string[] {
  const scopes = wanted && wanted.length > 0 ? wanted : provider.scopes
  return provider.kind === 'oidc' ? [...new Set(['openid', ...scopes])] : [...new Set(scopes)]
}

/**
 * A form_post answer would need SameSite=None cookies, so the default mode is asked for by name,
 * except where the metadata does not list it and naming it could be refused.
 */
function mayAskForQuery({ response_modes_supported: modes }: ServerMetadata): boolean {
  return modes?.includes('query') ?? true
}

function buildUrl(provider: OAuthProvider, build: () => URL): string {
  try {
    return build().href
  } catch (cause) {
    throw providerError(provider.id, 'The provider names no usable authorization endpoint.', {
      cause,
    })
  }
}
