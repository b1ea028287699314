import { AuthConfigurationError, AuthError, providerError } from '@netscript/plugin-auth-core'
import { hasUnusableAuthTime, stepUpFailed } from './authentication.js'
import { getGrantConfiguration, keepKeys } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { isIssuerOf } from './provider-metadata.js'
import type { OAuthProvider } from './provider.js'
import {
  isDeclined,
  isMisconfigured,
  NOT_VERIFIED,
  ProviderAnswerError,
  ProviderRefusedError,
  refusalIn,
} from './provider-failure.js'
import { EXACT_REDIRECT_URI } from './provider-fetch.js'
import type { SignInTransaction } from './sign-in.js'
import { checkIdToken, type Tokens } from './tokens.js'

/**
 * Exchanges the code of the response for tokens (RFC 6749 section 4.1.3).
 * @throws AuthError `AUTH_PROVIDER_ERROR`, `AUTH_STEP_UP_FAILED`
 */
export async function exchangeCode(
  context: KvOAuthContext,
  provider: OAuthProvider,
  transaction: SignInTransaction,
  query: URLSearchParams,
): Promise<Tokens> {
  const [client, configuration] = await Promise.all([
    import('openid-client'),
    getGrantConfiguration(provider, context),
  ])
  const currentUrl = new URL(transaction.redirectUri)
  currentUrl.search = query.toString()
  // Without an issuer, iss (RFC 9207) has nothing to be compared with.
  if (provider.kind === 'oauth') currentUrl.searchParams.delete('iss')
  try {
    const tokens = await client.authorizationCodeGrant(
      configuration,
      currentUrl,
      {
        // takeTransaction already verified the state: it looked the transaction up by it.
        expectedState: query.get('state') ?? '',
        idTokenExpected: provider.kind === 'oidc',
        ...(transaction.codeVerifier !== undefined && {
          pkceCodeVerifier: transaction.codeVerifier,
        }),
        ...(transaction.nonce !== undefined && { expectedNonce: transaction.nonce }),
      },
      { [EXACT_REDIRECT_URI]: transaction.redirectUri },
    )
    checkIdToken(provider, tokens, context.now())
    keepKeys(provider, client, configuration)
    return tokens
  } catch (cause) {
    if (transaction.authentication && hasUnusableAuthTime(cause)) {
      throw stepUpFailed('auth-time-malformed', { cause })
    }
    throw providerError(provider.id, adviceFor(cause), { cause })
  }
}

const MISCONFIGURED =
  'The provider does not accept how this service is set up. Trying again does not help: tell the operator of this service.'

function adviceFor(cause: unknown): string {
  const refusal = refusalIn(cause)
  const isSettings = refusal ? isMisconfigured(refusal.error) : isConfigurationError(cause)
  return isSettings ? MISCONFIGURED : NOT_VERIFIED
}

const isConfigurationError = (error: unknown): boolean =>
  error instanceof AuthConfigurationError ||
  (error instanceof Error && isConfigurationError(error.cause))

/**
 * An authorization error response (RFC 6749 section 4.1.2.1). It proves nothing and opens nothing,
 * so a promised `iss` (RFC 9207) may be missing; one of another provider is rejected.
 */
export function refusedAuthorization(
  provider: OAuthProvider,
  { authentication }: SignInTransaction,
  query: URLSearchParams,
): AuthError {
  const [error = ''] = query.getAll('error')
  const iss = query.get('iss')
  const cause = new ProviderRefusedError(
    'The provider answered the authorization request with an error.',
    error,
    { description: query.get('error_description') ?? undefined },
  )
  if (iss !== null && provider.kind === 'oidc' && !isIssuerOf(provider, iss)) {
    return providerError(provider.id, NOT_VERIFIED, {
      cause: new ProviderAnswerError(
        'issuer-mismatch',
        'The error response names another issuer (iss).',
      ),
    })
  }
  if (authentication && error === 'unmet_authentication_requirements') {
    return stepUpFailed('provider-error', { cause })
  }
  if (isDeclined(error)) {
    return new AuthError('AUTH_ACCESS_DENIED', 'The sign-in was declined at the provider.', {
      cause,
    })
  }
  const reason = isMisconfigured(error)
    ? MISCONFIGURED
    : 'The provider could not complete the sign-in. Start it again in a moment.'
  return providerError(provider.id, reason, { cause })
}
