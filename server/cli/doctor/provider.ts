import type { OAuthProvider } from '@netscript/auth-kv-oauth'
import { getClientConfiguration, IssuerMismatchError } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError, isAuthError } from '@netscript/plugin-auth-core'
import { networkReason } from '@netscript/plugin-auth-core/internal'
import { clockFinding, dateOf, type Exchange, skewSeconds } from './clock.js'
import { type Check, CHECK_TIMEOUT_MS, fail, failWith, type Finding, ok } from './finding.js'

/** HTTP traffic observed while the service's own code runs discovery. */
interface Observed {
  url?: string
  answer?: Exchange & { status: number; headers: Headers }
  failure?: unknown
}

/** Checks that each provider is reachable, has usable metadata, and that its clock is right. */
export const checkProviders: Check = async ({ config }) => {
  const { NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: allowInsecureRequests } = config.variables
  const found = await Promise.all(
    config.providers.map((provider) => checkProvider(provider, allowInsecureRequests)),
  )
  return found.flat()
}

async function checkProvider(
  provider: OAuthProvider,
  allowInsecureRequests: boolean,
): Promise<Finding[]> {
  const observed: Observed = {}
  const finding = await examine(provider, allowInsecureRequests, observed)
  return [finding, ...clockOf(provider, observed)]
}

async function examine(
  provider: OAuthProvider,
  allowInsecureRequests: boolean,
  observed: Observed,
): Promise<Finding> {
  const fetch = observing(observed)
  try {
    const configuration = await getClientConfiguration(provider, {
      allowInsecureRequests,
      timeoutSeconds: CHECK_TIMEOUT_MS / 1000,
      fetch,
    })
    const server = configuration.serverMetadata()
    if (provider.kind === 'oidc') return ok('PROVIDER', describe(provider, server))
    // A plain OAuth 2.0 provider has no metadata; any response shows that it is reachable.
    await fetch(server.token_endpoint ?? '', {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
    })
    return ok('PROVIDER', `${provider.id} answers at ${observed.url}.`)
  } catch (error) {
    return failure(provider, observed, error)
  }
}

function describe(
  { id, issuer, pkce }: OAuthProvider,
  server: Readonly<{
    code_challenge_methods_supported?: unknown
    authorization_response_iss_parameter_supported?: unknown
    id_token_encryption_alg_values_supported?: unknown
  }>,
): string {
  const s256 =
    server.code_challenge_methods_supported !== undefined
      ? 'S256 is supported'
      : 'S256 is not mentioned'
  const iss = server.authorization_response_iss_parameter_supported === true ? 'with' : 'without'
  const encryption =
    server.id_token_encryption_alg_values_supported === undefined
      ? ''
      : ' It can encrypt id_tokens, which is not supported here: leave that off for this client.'
  return `${id} is ${issuer}: the metadata names this issuer, ${pkce ? s256 : 'PKCE is off'}, answers come ${iss} iss.${encryption}`
}

function failure(
  { id }: OAuthProvider,
  { url, answer, failure: cause }: Observed,
  error: unknown,
): Finding {
  if (isAuthError(error) && error.cause instanceof AuthConfigurationError) {
    const isMismatch = error.cause instanceof IssuerMismatchError
    return failWith(isMismatch ? 'PROVIDER_ISSUER' : 'PROVIDER_METADATA', error.cause.message)
  }
  if (cause !== undefined) {
    const { what, fix } = networkReason(cause)
    return fail('PROVIDER_UNREACHABLE', `${id} at ${url}: ${what}.`, fix)
  }
  if (answer && answer.status !== 200) {
    return fail(
      'PROVIDER_METADATA',
      `${id} has no metadata at ${url}: it answers ${answer.status}.`,
      'Correct the issuer, below which the provider serves /.well-known/openid-configuration, or set NETSCRIPT_AUTH_DISCOVERY_URL to the address of the metadata.',
    )
  }
  if (!isAuthError(error)) throw error
  return failWith('PROVIDER_METADATA', `${id}: ${error.detail}`)
}

function observing(observed: Observed): typeof globalThis.fetch {
  return async (input, init) => {
    observed.url = input instanceof Request ? input.url : String(input)
    const sentAt = Date.now()
    try {
      const response = await fetch(input, init)
      const receivedAt = Date.now()
      const { status, headers } = response
      observed.answer = { sentAt, receivedAt, status, headers }
      return response
    } catch (error) {
      observed.failure = error
      throw error
    }
  }
}

/** Only id_tokens depend on the clock; a plain OAuth 2.0 provider issues none. */
function clockOf({ id, kind }: OAuthProvider, { answer }: Observed): Finding[] {
  const theirs = answer && dateOf(answer.headers)
  if (!answer || theirs === undefined || kind !== 'oidc') return []
  return [clockFinding('CLOCK_PROVIDER', id, skewSeconds(answer, theirs, 1000))]
}
