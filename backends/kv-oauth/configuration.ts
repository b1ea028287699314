import type * as openid from 'openid-client'
import type { ClientAuth, Configuration, CustomFetch, ServerMetadata } from 'openid-client'
import { AuthError, providerError } from '../errors.js'
import { isIssuerOf } from './issuer.js'
import type { OAuthProvider } from './provider.js'
import { createProviderFetch, parseObject } from './provider-fetch.js'

/** How to talk to a provider. */
export interface ConfigurationOptions {
  /** Whether http: is accepted (`NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS`). */
  readonly allowInsecureRequests: boolean
  /** How long one request may take, in seconds. Default: 5. */
  readonly timeoutSeconds?: number
  /** Default: the global fetch. */
  readonly fetch?: typeof globalThis.fetch
}

const DEFAULT_TIMEOUT_SECONDS = 5
const LIFETIME_MS = 60 * 60_000
const RETRY_MS = 60_000
/** How far the clocks of a provider and ours may differ. */
export const CLOCK_TOLERANCE_SECONDS = 30

interface Entry {
  readonly options: ConfigurationOptions
  configuration: Promise<Configuration>
  renewAt: number
  keys?: { jwks: JWKS; fetchedAt: number }
  /** What {@link getGrantConfiguration} made last. */
  grant?: Configuration
}

type JWKS = NonNullable<ReturnType<typeof openid.getJwksCache>>['jwks']

const KEYS_LIFETIME_SECONDS = 300
/** The library asks again for a key that it lacks when the keys it has are this old. */
const KEYS_STALE_SECONDS = 60

const cache = new WeakMap<OAuthProvider, Entry>()

/**
 * The openid-client configuration of a provider, discovered at most once an hour. Concurrent calls
 * share one discovery, a failed one is not kept, and metadata that cannot be renewed serves on.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when the metadata cannot be read or must not be used.
 */
export async function getClientConfiguration(
  provider: OAuthProvider,
  options: ConfigurationOptions,
): Promise<Configuration> {
  const known = cache.get(provider)
  if (known && sameOptions(known.options, options)) {
    return Date.now() < known.renewAt ? known.configuration : renew(provider, known)
  }
  const { allowInsecureRequests, timeoutSeconds, fetch } = options
  const entry: Entry = {
    options: {
      allowInsecureRequests,
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(fetch && { fetch }),
    },
    configuration: load(provider, options),
    renewAt: provider.issuer === undefined ? Infinity : Date.now() + LIFETIME_MS,
  }
  cache.set(provider, entry)
  try {
    return await entry.configuration
  } catch (error) {
    if (cache.get(provider) === entry) cache.delete(provider)
    throw error
  }
}

/**
 * The configuration for a grant: the shared one, but with keys that count as a minute old. The library
 * asks for keys at most once a minute and configuration; a provider that rotates its key without
 * notice would sign nobody in meanwhile. So it serves until it has asked, and the next grant gets
 * another. Pass it to {@link keepKeys} afterwards.
 */
export async function getGrantConfiguration(
  provider: OAuthProvider,
  options: ConfigurationOptions,
): Promise<Configuration> {
  const shared = await getClientConfiguration(provider, options)
  const entry = cache.get(provider)
  if (provider.issuer === undefined || !entry) return shared
  const client = await import('openid-client')
  const now = Math.floor(Date.now() / 1000)
  const keys = entry.keys && now - entry.keys.fetchedAt < KEYS_LIFETIME_SECONDS && entry.keys
  if (keys && entry.grant) {
    const age = now - (client.getJwksCache(entry.grant)?.uat ?? now)
    if (age >= KEYS_STALE_SECONDS) return entry.grant
  }
  const metadata = shared.serverMetadata()
  const own = await discover(client, provider, entry.options, async () => Response.json(metadata))
  if (keys) client.setJwksCache(own, { jwks: keys.jwks, uat: now - KEYS_STALE_SECONDS })
  entry.grant = own
  return own
}

/** Keeps the keys that a grant has fetched. */
export function keepKeys(
  provider: OAuthProvider,
  client: typeof openid,
  configuration: Configuration,
): void {
  const entry = cache.get(provider)
  const fetched = client.getJwksCache(configuration)
  if (!entry || !fetched) return
  const age = Math.floor(Date.now() / 1000) - fetched.uat
  if (age < KEYS_STALE_SECONDS) entry.keys = { jwks: fetched.jwks, fetchedAt: fetched.uat }
}

async function renew(provider: OAuthProvider, entry: Entry): Promise<Configuration> {
  // The others use the old one meanwhile; after a failure nobody asks again for a minute.
  entry.renewAt = Date.now() + RETRY_MS
  try {
    const fresh = await load(provider, entry.options)
    entry.configuration = Promise.resolve(fresh)
    delete entry.grant
    entry.renewAt = Date.now() + LIFETIME_MS
  } catch {
    // What was verified an hour ago is still the best there is.
  }
  return entry.configuration
}

function sameOptions(a: ConfigurationOptions, b: ConfigurationOptions): boolean {
  return (
    a.allowInsecureRequests === b.allowInsecureRequests &&
    a.timeoutSeconds === b.timeoutSeconds &&
    a.fetch === b.fetch
  )
}

async function load(
  provider: OAuthProvider,
  options: ConfigurationOptions,
): Promise<Configuration> {
  const { allowInsecureRequests, fetch } = options
  if (!allowInsecureRequests) refuseHttp(provider, configuredUrls(provider))
  // Loading the backend must not cost the library; the first sign-in pays for it.
  const client = await import('openid-client')
  if (provider.issuer === undefined) return fromEndpoints(client, provider, options)
  try {
    const readMetadata = withEndpoints(provider, createProviderFetch(provider, fetch))
    const configuration = await discover(client, provider, options, readMetadata)
    checkMetadata(provider, configuration.serverMetadata(), allowInsecureRequests)
    return configuration
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    const reason =
      (cause as { code?: unknown }).code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
        ? WRONG_ISSUER
        : 'The metadata of the provider could not be read. Try again in a moment.'
    throw providerError(provider.id, reason, { cause })
  }
}

function fromEndpoints(
  client: typeof openid,
  provider: OAuthProvider,
  { allowInsecureRequests, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, fetch }: ConfigurationOptions,
): Configuration {
  const configuration = new client.Configuration(
    { issuer: new URL(provider.authorizationEndpoint ?? '').origin, ...endpoints(provider) },
    provider.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    clientAuth(client, provider),
  )
  configuration[client.customFetch] = createProviderFetch(provider, fetch)
  configuration.timeout = timeoutSeconds
  if (allowInsecureRequests) client.allowInsecureRequests(configuration)
  return configuration
}

async function discover(
  client: typeof openid,
  provider: OAuthProvider,
  { allowInsecureRequests, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, fetch }: ConfigurationOptions,
  readMetadata: CustomFetch,
): Promise<Configuration> {
  const configuration = await client.discovery(
    new URL(provider.issuer ?? ''),
    provider.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    clientAuth(client, provider),
    {
      [client.customFetch]: readMetadata,
      timeout: timeoutSeconds,
      execute: [
        ...(allowInsecureRequests ? [client.allowInsecureRequests] : []),
        client.enableNonRepudiationChecks,
      ],
    },
  )
  configuration[client.customFetch] = createProviderFetch(provider, fetch)
  return configuration
}

/** The reason in an error about metadata of somebody else (RFC 8414 section 3.3). */
export const WRONG_ISSUER =
  'The metadata of the provider names another issuer than the one configured. Set the issuer exactly as the provider writes it.'

/** RFC 9700 section 2.1.1 and OpenID Connect Discovery section 4.3. */
function checkMetadata(
  provider: OAuthProvider,
  server: Readonly<ServerMetadata>,
  allowInsecureRequests: boolean,
): void {
  // The metadata of Entra ID for all tenants names the template itself.
  if (!isIssuerOf(provider, server.issuer) && server.issuer !== provider.issuerTemplate) {
    throw providerError(provider.id, WRONG_ISSUER, {
      cause: new Error(`Configured: ${provider.issuer}. Discovered: ${server.issuer}.`),
    })
  }
  const methods: unknown = server.code_challenge_methods_supported
  if (provider.pkce && methods !== undefined) {
    if (!Array.isArray(methods) || !methods.includes('S256')) {
      throw providerError(provider.id, 'The provider does not support PKCE with S256.')
    }
  }
  if (allowInsecureRequests) return
  refuseHttp(provider, {
    authorization_endpoint: server.authorization_endpoint,
    token_endpoint: server.token_endpoint,
    userinfo_endpoint: server.userinfo_endpoint,
    jwks_uri: server.jwks_uri,
    revocation_endpoint: server.revocation_endpoint,
    end_session_endpoint: server.end_session_endpoint,
  })
}

function configuredUrls(provider: OAuthProvider): Record<string, string | undefined> {
  const { issuer, emailsEndpoint } = provider
  return { issuer, emailsEndpoint, ...endpoints(provider) }
}

function refuseHttp(provider: OAuthProvider, urls: Record<string, string | undefined>): void {
  for (const [name, url] of Object.entries(urls)) {
    if (!url?.toLowerCase().startsWith('http:')) continue
    throw providerError(
      provider.id,
      `The ${name} of the provider uses http. Use https, or set NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true for development.`,
    )
  }
}

/** The explicit endpoints by their names in RFC 8414. */
function endpoints(provider: OAuthProvider): Record<string, string> {
  const named = {
    authorization_endpoint: provider.authorizationEndpoint,
    token_endpoint: provider.tokenEndpoint,
    userinfo_endpoint: provider.userInfoEndpoint,
    revocation_endpoint: provider.revocationEndpoint,
    end_session_endpoint: provider.endSessionEndpoint,
  }
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

/**
 * Puts the explicit endpoints into the metadata as it is read: the tenant-dependent issuer of Entra
 * survives only in the configuration that discovery itself makes.
 */
function withEndpoints(provider: OAuthProvider, fetch: CustomFetch): CustomFetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    const metadata =
      response.status === 200 && parseObject(Buffer.from(await response.clone().arrayBuffer()))
    if (!metadata) return response
    return Response.json({ ...metadata, ...endpoints(provider) })
  }
}

function clientAuth(
  client: typeof openid,
  { clientAuthMethod, clientSecret = '' }: OAuthProvider,
): ClientAuth {
  if (clientAuthMethod === 'none') return client.None()
  if (clientAuthMethod === 'client_secret_post') return client.ClientSecretPost(clientSecret)
  return (_server, { client_id: clientId }, _body, headers) => {
    headers.set(
      'authorization',
      `Basic ${btoa(`${formEncode(clientId)}:${formEncode(clientSecret)}`)}`,
    )
  }
}

/**
 * RFC 6749 section 2.3.1, with `-`, `_`, `.` and `~` left alone: they decode to themselves, and the
 * providers that do not decode at all, X among them, have these in their secrets.
 */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
