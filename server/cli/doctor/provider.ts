import { randomBytes } from 'node:crypto'
import type { OAuthProvider } from '@netscript/auth-kv-oauth'
import {
  type ClientAuthMethod,
  clientAuthMethodOf,
  clientRefusal,
  getClientConfiguration,
  isClientRefusal,
  IssuerMismatchError,
} from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError, isAuthError } from '@netscript/plugin-auth-core'
import { networkReason } from '@netscript/plugin-auth-core/internal'
import { createPool } from '@netscript/auth-database'
import { clockFinding, dateOf, type Exchange, skewSeconds } from './clock.js'
import { type Check, CHECK_TIMEOUT_MS, fail, failWith, type Finding, ok, warn } from './finding.js'
import type { AuthConfig } from '../../config/auth-config.js'
import { variablePrefix } from '../../config/providers.js'
import { listServiceKeys } from '../../tokens/service-keys.js'

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

/**
 * Checks whether each provider accepts the client. It sends a code that was never issued: the provider
 * rejects that with a different error than an unknown client. {@link checkProviders} reports an
 * unreachable provider.
 */
export const checkClients: Check = async ({ config }) => {
  const found = await Promise.all(config.providers.map((provider) => checkClient(provider, config)))
  return found.flat()
}

async function checkClient(provider: OAuthProvider, config: AuthConfig): Promise<Finding[]> {
  const { id } = provider
  const { outcome, method, error } = await tryClient(provider, config)
  if (outcome === 'accepted') {
    return [ok('CLIENT', `${id} accepts the client, which authenticates by ${method}.`)]
  }
  if (outcome === 'misconfigured') return [failWith('CLIENT', `${id}: ${error}`)]
  if (outcome === 'unknown') return []
  const variable = `${prefixOf(provider, config)}CLIENT_AUTH_METHOD`
  const other = OTHER[method]
  const isOtherAccepted =
    other !== undefined &&
    (await tryClient({ ...provider, ...explicit(other) }, config)).outcome === 'accepted'
  return isOtherAccepted
    ? [
        fail(
          'CLIENT',
          `${id} refuses the client by ${method} (${error}), but accepts it by ${other}.`,
          `Set ${variable}=${other}.`,
        ),
      ]
    : [failWith('CLIENT', `${id}, ${error}: ${clientRefusal(provider, method, variable)}`)]
}

const OTHER: Partial<Record<ClientAuthMethod, ClientAuthMethod>> = {
  client_secret_basic: 'client_secret_post',
  client_secret_post: 'client_secret_basic',
}

const explicit = (clientAuthMethod: ClientAuthMethod) =>
  ({ clientAuthMethod, clientAuthMethodIsExplicit: true }) as const

/** The prefix of this provider's variables. */
function prefixOf({ id }: OAuthProvider, { variables }: AuthConfig): string {
  const isOneOfSeveral = (variables.NETSCRIPT_AUTH_PROVIDERS ?? []).length > 0
  return isOneOfSeveral ? variablePrefix(id) : 'NETSCRIPT_AUTH_'
}

interface Attempt {
  outcome: 'accepted' | 'refused' | 'misconfigured' | 'unknown'
  method: ClientAuthMethod
  /** The provider's error code, or a description of the problem. */
  error: string
}

async function tryClient(provider: OAuthProvider, { variables }: AuthConfig): Promise<Attempt> {
  let status = 0
  const configuration = await getClientConfiguration(provider, {
    allowInsecureRequests: variables.NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS,
    timeoutSeconds: CHECK_TIMEOUT_MS / 1000,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      status = response.status
      return response
    },
  }).catch(() => undefined)
  if (!configuration) {
    return { outcome: 'unknown', method: provider.clientAuthMethod, error: '' }
  }
  const method = clientAuthMethodOf(provider, configuration.serverMetadata())
  const client = await import('openid-client')
  status = 0
  try {
    await client.genericGrantRequest(configuration, 'authorization_code', {
      code: `netscript-doctor-${randomBytes(8).toString('hex')}`,
      code_verifier: client.randomPKCECodeVerifier(),
    })
    return { outcome: 'unknown', method, error: '' }
  } catch (cause) {
    const code = cause instanceof client.ResponseBodyError ? cause.error : undefined
    const error = code ?? `status ${status}`
    if (isClientRefusal(status, { error: code })) return { outcome: 'refused', method, error }
    if (code === 'invalid_grant') return { outcome: 'accepted', method, error }
    const wrong = configurationError(cause)
    return wrong
      ? { outcome: 'misconfigured', method, error: wrong.message }
      : { outcome: 'unknown', method, error }
  }
}

function configurationError(cause: unknown): AuthConfigurationError | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof AuthConfigurationError) return error
  }
  return undefined
}

/** Whether services can request tokens of providers, where that is enabled. */
export const checkProviderTokens: Check = async ({ config }) => {
  const { NETSCRIPT_AUTH_PROVIDER_TOKENS: isEnabled, DATABASE_URL: url } = config.variables
  if (!isEnabled) return []
  const findings = [...config.providers.filter(isShortLived).map(shortLived)]
  // The check of the database reports why it is unreachable.
  if (url !== undefined && (await hasNoKey(url).catch(() => false))) {
    findings.push(
      warn(
        'PROVIDER_TOKENS',
        'NETSCRIPT_AUTH_PROVIDER_TOKENS is on, but no service key is valid.',
        'Create one with "netscript auth service-key create".',
      ),
    )
  }
  return findings.length > 0
    ? findings
    : [ok('PROVIDER_TOKENS', 'Services with a key can request tokens of providers.')]
}

async function hasNoKey(url: string): Promise<boolean> {
  const pool = createPool(url, { connectionTimeoutMs: CHECK_TIMEOUT_MS, max: 1 })
  try {
    return (await listServiceKeys(pool)).every(({ revokedAt }) => revokedAt !== undefined)
  } finally {
    await pool.end()
  }
}

/** OpenID providers issue a refresh token for offline access only. */
const isShortLived = ({ kind, scopes, authorizationParams }: OAuthProvider): boolean =>
  kind === 'oidc' &&
  !scopes.includes('offline_access') &&
  authorizationParams?.access_type !== 'offline'

const shortLived = ({ id }: OAuthProvider): Finding =>
  warn(
    'PROVIDER_TOKENS',
    `Tokens of "${id}" cannot be renewed: no offline access is requested.`,
    'Add offline_access to its scopes, or what the provider needs to issue a refresh token.',
  )
