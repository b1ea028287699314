import type * as openid from 'openid-client'
import type { Configuration, CustomFetch } from 'openid-client'
import {
  AuthConfigurationError,
  type AuthError,
  type AuthLog,
  providerError,
} from '@netscript/plugin-auth-core'
import { clientAuth } from './client-auth.js'
import type { OAuthProvider } from './provider.js'
import { createProviderFetch } from './provider-fetch.js'
import { createMetadataFetch, endpoints, refuseConfiguredHttp } from './provider-metadata.js'

/** How to talk to a provider. */
export interface ConfigurationOptions {
  /** Whether http: is accepted (`NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS`). */
  readonly allowInsecureRequests: boolean
  /** How long one request may take, in seconds. Default: 5. */
  readonly timeoutSeconds?: number
  /** Default: the global fetch. */
  readonly fetch?: typeof globalThis.fetch
  /** Where it is said why a provider refused the client. Default: nowhere. */
  readonly log?: AuthLog
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
  } catch (err) {
    // What was verified an hour ago is still the best there is.
    const fields = { provider: provider.id, err }
    entry.options.log?.warn(fields, 'The metadata of the provider could not be renewed.')
  }
  return entry.configuration
}

/** What is kept of the options, which may be a larger object. */
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
    // Loading the backend must not cost the library; the first sign-in pays for it.
    const client = await import('openid-client')
    if (provider.issuer === undefined) return fromEndpoints(client, provider, options)
    return await discover(client, provider, options, createMetadataFetch(provider, options))
  } catch (cause) {
    throw discoveryError(provider, cause)
  }
}

/** Told apart because a retry does not help with the first, whose cause the log names. */
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

/** For the user: the operator finds the cause in the log. */
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
  configuration[client.customFetch] = createProviderFetch(provider, options)
  configuration.timeout = options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS
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
      timeout: options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
      execute: [
        ...(options.allowInsecureRequests ? [client.allowInsecureRequests] : []),
        client.enableNonRepudiationChecks,
      ],
    },
  )
  configuration[client.customFetch] = createProviderFetch(provider, options)
  return configuration
}
