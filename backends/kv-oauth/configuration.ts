import type * as openid from 'openid-client'
import type { Configuration, CustomFetch, ServerMetadata } from 'openid-client'
import {
  AuthConfigurationError,
  type AuthError,
  type AuthLog,
  providerError,
} from '@netscript/plugin-auth-core'
import { clientAuth } from './client-auth.js'
import type { OAuthProvider } from './provider.js'
import { createProviderFetch, TIMEOUT_SECONDS } from './provider-fetch.js'
import { createMetadataFetch, endpoints, refuseConfiguredHttp } from './provider-metadata.js'

/** Options for requests to a provider. */
export interface ConfigurationOptions {
  /** Whether http: is accepted (`NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS`). */
  readonly allowInsecureRequests: boolean
  /** Time limit of one request, in seconds. @default 5 */
  readonly timeoutSeconds?: number
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch
  /** Receives the reason why a provider rejected the client. @default no log */
  readonly log?: AuthLog
}

const LIFETIME_MS = 60 * 60_000
const RETRY_MS = 60_000
/** Allowed clock skew between a provider and this service. */
export const CLOCK_TOLERANCE_SECONDS = 30

interface Entry {
  readonly options: ConfigurationOptions
  configuration: Promise<Configuration>
  renewAt: number
  keys?: { jwks: JWKS; fetchedAt: number }
  /** The latest result of {@link getGrantConfiguration}. */
  grant?: Configuration
}

type JWKS = NonNullable<ReturnType<typeof openid.getJwksCache>>['jwks']

const KEYS_LIFETIME_SECONDS = 300
/** The library refetches keys for an unknown key id when its keys are at least this old. */
const KEYS_STALE_SECONDS = 60

const cache = new WeakMap<OAuthProvider, Entry>()

/**
 * The openid-client configuration of a provider, discovered at most once an hour. Concurrent calls
 * share one discovery, a failed one is not kept, and stale metadata is used when it cannot be renewed.
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
  const entry: Entry = {
    options: pick(options),
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

const metadataByConfiguration = new WeakMap<Configuration, Readonly<ServerMetadata>>()

/** The metadata of a configuration, which openid-client copies deeply on each call. */
export function metadataOf(configuration: Configuration): Readonly<ServerMetadata> {
  let metadata = metadataByConfiguration.get(configuration)
  if (!metadata) {
    metadata = configuration.serverMetadata()
    metadataByConfiguration.set(configuration, metadata)
  }
  return metadata
}

/**
 * The configuration for a grant: the shared one, with keys marked as a minute old. The library
 * refetches keys at most once a minute per configuration, so a provider that rotates its key
 * without notice would block all sign-ins until then. This configuration is used until it has
 * refetched; the next grant gets a new one. Pass it to {@link keepKeys} afterwards.
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
  const metadata = metadataOf(shared)
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
  // Concurrent callers use the stale metadata meanwhile; after a failure there is no retry for a
  // minute.
  entry.renewAt = Date.now() + RETRY_MS
  try {
    const fresh = await load(provider, entry.options)
    entry.configuration = Promise.resolve(fresh)
    delete entry.grant
    entry.renewAt = Date.now() + LIFETIME_MS
  } catch (err) {
    // Stale verified metadata is better than none.
    const fields = { provider: provider.id, err }
    entry.options.log?.warn(fields, 'The metadata of the provider could not be renewed.')
  }
  return entry.configuration
}

/** Copies the options, which may be a larger object. */
function pick(options: ConfigurationOptions): ConfigurationOptions {
  const { allowInsecureRequests, timeoutSeconds, fetch, log } = options
  return {
    allowInsecureRequests,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(fetch && { fetch }),
    ...(log && { log }),
  }
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
  try {
    if (!options.allowInsecureRequests) refuseConfiguredHttp(provider)
    // Loaded by the first sign-in, so that importing the backend stays cheap.
    const client = await import('openid-client')
    if (provider.issuer === undefined) return fromEndpoints(client, provider, options)
    return await discover(client, provider, options, createMetadataFetch(provider, options))
  } catch (cause) {
    throw discoveryError(provider, cause)
  }
}

/**
 * Distinguishes a configuration error, which a retry cannot fix and the log explains, from an
 * unreachable provider.
 */
function discoveryError({ id }: OAuthProvider, cause: unknown): AuthError {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof AuthConfigurationError) {
      return providerError(id, MISCONFIGURED, { cause: error })
    }
  }
  return providerError(id, 'The provider cannot be reached. Try again in a moment.', {
    cause,
  })
}

/** Shown to the user; the operator finds the cause in the log. */
export const MISCONFIGURED =
  'Sign-in with this provider is not set up correctly. Tell the operator; trying again does not help.'

function fromEndpoints(
  client: typeof openid,
  provider: OAuthProvider,
  options: ConfigurationOptions,
): Configuration {
  const configuration = new client.Configuration(
    { issuer: new URL(provider.authorizationEndpoint ?? '').origin, ...endpoints(provider) },
    provider.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    clientAuth(client, provider),
  )
  useProviderFetch(client, configuration, provider, options)
  if (options.allowInsecureRequests) client.allowInsecureRequests(configuration)
  return configuration
}

async function discover(
  client: typeof openid,
  provider: OAuthProvider,
  options: ConfigurationOptions,
  readMetadata: CustomFetch,
): Promise<Configuration> {
  const configuration = await client.discovery(
    new URL(provider.issuer ?? ''),
    provider.clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    clientAuth(client, provider),
    {
      [client.customFetch]: readMetadata,
      timeout: options.timeoutSeconds ?? TIMEOUT_SECONDS,
      execute: [
        ...(options.allowInsecureRequests ? [client.allowInsecureRequests] : []),
        client.enableNonRepudiationChecks,
      ],
    },
  )
  useProviderFetch(client, configuration, provider, options)
  return configuration
}

/**
 * Sends the requests of a configuration, and limits their time: the library makes a signal for each call, even one
 * without a request, and each of them lives until the limit has passed.
 */
function useProviderFetch(
  client: typeof openid,
  configuration: Configuration,
  provider: OAuthProvider,
  options: ConfigurationOptions,
): void {
  configuration[client.customFetch] = createProviderFetch(provider, options)
  configuration.timeout = 0
}
