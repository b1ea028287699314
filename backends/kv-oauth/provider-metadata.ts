import type { CustomFetch } from 'openid-client'
import { unusableMethods } from './client-auth.js'
import type { OAuthProvider } from './provider.js'
import { ProviderAnswerError, ProviderSetupError } from './provider-failure.js'
import { fetchBounded, parseObject, redirectTarget, withoutQuery } from './provider-fetch.js'

const MAX_REDIRECTS = 3

/** The issuer of the metadata differs from the configured one (RFC 8414 section 3.3). */
export class IssuerMismatchError extends ProviderSetupError {}

/**
 * Creates the fetch function for discovery. It reads the metadata at `discoveryUrl` or the issuer,
 * follows redirects on the same origin, and rejects metadata that this client does not support.
 */
export function createMetadataFetch(
  provider: OAuthProvider,
  options: { allowInsecureRequests: boolean; fetch?: typeof globalThis.fetch },
): CustomFetch {
  return async (issuerUrl, init) => {
    const url = provider.discoveryUrl ?? issuerUrl
    const response = await followed(provider, url, (target) =>
      fetchBounded(options.fetch, target, init),
    )
    if (response.status !== 200) {
      throw new ProviderAnswerError(
        'unexpected-status',
        `GET ${withoutQuery(url)} was answered with ${response.status}.`,
        { status: response.status },
      )
    }
    const discovered = parseObject(response.content)
    if (!discovered) {
      throw new ProviderAnswerError(
        'not-json',
        `GET ${withoutQuery(url)} was not answered with JSON.`,
      )
    }
    // openid-client supports the issuer template of Entra ID only through discovery.
    const metadata = { ...discovered, ...endpoints(provider) }
    checkMetadata(provider, metadata, options.allowInsecureRequests)
    return Response.json(metadata)
  }
}

/**
 * Follows redirects on the same origin, because discovery sends no credentials: some providers
 * redirect to the address with a trailing slash.
 */
async function followed<Followed extends Response>(
  { id }: OAuthProvider,
  start: string,
  get: (url: string) => Promise<Followed>,
): Promise<Followed> {
  const visited = new Set([start])
  for (let url = start; ;) {
    const response = await get(url)
    const target = redirectTarget(response, url)
    if (target === undefined) return response
    const problem = problemOf(target, start, visited)
    if (problem !== undefined) {
      throw new ProviderSetupError(
        'redirected',
        `OAuth provider "${id}": ${withoutQuery(start)} ${problem}. ${FIX}`,
      )
    }
    url = target.href
    visited.add(url)
  }
}

function problemOf(target: URL, start: string, visited: ReadonlySet<string>): string | undefined {
  if (target.origin !== new URL(start).origin) {
    return `redirects to ${withoutQuery(target)}, which is another origin and was not followed`
  }
  if (visited.has(target.href)) return 'redirects in a circle'
  return visited.size > MAX_REDIRECTS ? `redirects more than ${MAX_REDIRECTS} times` : undefined
}

/** Checks RFC 9700 section 2.1.1, OpenID Connect Discovery section 4.3 and unsupported requirements. */
function checkMetadata(
  provider: OAuthProvider,
  metadata: Readonly<Record<string, unknown>>,
  allowInsecureRequests: boolean,
): void {
  checkIssuer(provider, metadata.issuer)
  for (const { problem, fix } of requirements(provider, metadata)) {
    throw new ProviderSetupError(
      'requirement-unsupported',
      `OAuth provider "${provider.id}" ${problem}. ${fix}`,
    )
  }
  if (!allowInsecureRequests) refuseHttp(provider, metadata)
}

function checkIssuer(provider: OAuthProvider, issuer: unknown): void {
  // openid-client reports metadata without an issuer.
  if (typeof issuer !== 'string') return
  // The metadata of Entra ID for all tenants contains the template itself.
  if (isIssuerOf(provider, issuer) || issuer === provider.issuerTemplate) return
  throw new IssuerMismatchError(
    'issuer-mismatch',
    `OAuth provider "${provider.id}": the metadata names the issuer ${JSON.stringify(issuer.slice(0, 500))}, but the issuer configured is ${provider.issuer}. ${FIX}`,
  )
}

const FIX =
  'Set issuer (NETSCRIPT_AUTH_ISSUER) exactly as the provider writes it, and discoveryUrl (NETSCRIPT_AUTH_DISCOVERY_URL) to the address of the metadata if that is not below the issuer.'

/** Requirements of the provider that this client does not support. */
function requirements(
  provider: OAuthProvider,
  metadata: Readonly<Record<string, unknown>>,
): { problem: string; fix: string }[] {
  const found = REQUIRED.filter((name) => metadata[name] === undefined).map((name) => ({
    problem: `names no ${name} in its metadata`,
    fix: 'Set issuer (NETSCRIPT_AUTH_ISSUER) to an OpenID provider; plain OAuth 2.0 is configured by its endpoints, without an issuer.',
  }))
  const challenges = metadata.code_challenge_methods_supported
  if (provider.pkce && challenges !== undefined && !asList(challenges).includes('S256')) {
    found.push({
      problem: 'does not support PKCE with S256',
      fix: 'Turn PKCE on at the provider.',
    })
  }
  if (metadata.require_pushed_authorization_requests === true) {
    found.push({
      problem:
        'requires pushed authorization requests (PAR, RFC 9126), which are not supported here',
      fix: 'Turn the requirement off at the provider (require_pushed_authorization_requests).',
    })
  }
  if (metadata.require_signed_request_object === true) {
    found.push({
      problem: 'requires signed request objects (JAR, RFC 9101), which are not supported here',
      fix: 'Turn the requirement off at the provider (require_signed_request_object).',
    })
  }
  for (const [name, usable, what] of NEEDED) {
    const listed = metadata[name]
    if (!Array.isArray(listed) || listed.length === 0 || listed.some((one) => usable.has(one)))
      continue
    found.push({
      problem: `${what} ${listed.join(', ')} only (${name}), which is not supported here`,
      fix: `Turn on one of these for this client at the provider: ${[...usable].join(', ')}.`,
    })
  }
  const methods = unusableMethods(provider, metadata)
  if (methods) {
    found.push({
      problem: `authenticates clients by ${methods.join(', ')} only (token_endpoint_auth_methods_supported), which is not supported here`,
      fix: 'Allow client_secret_basic or client_secret_post for this client at the provider, and set clientAuthMethod (NETSCRIPT_AUTH_CLIENT_AUTH_METHOD) to it.',
    })
  }
  return found
}

/** Required metadata (OpenID Connect Discovery section 3). */
const REQUIRED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri']

/** Excludes `none` and HMACs, which do not prove that the provider signed a token. */
export const SIGNING_ALGORITHMS: ReadonlySet<unknown> = new Set([
  ...['RS', 'PS', 'ES'].flatMap((kind) => ['256', '384', '512'].map((bits) => kind + bits)),
  ...['EdDSA', 'Ed25519'],
])

/** Supported values, one of which must be listed if the provider lists any (Discovery section 3). */
const NEEDED: readonly (readonly [name: string, usable: ReadonlySet<unknown>, what: string])[] = [
  ['id_token_signing_alg_values_supported', SIGNING_ALGORITHMS, 'signs id_tokens by'],
  ['response_types_supported', new Set(['code']), 'answers with'],
  ['response_modes_supported', new Set(['query']), 'returns answers by'],
  ['grant_types_supported', new Set(['authorization_code']), 'grants'],
]

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const URLS_IN_USE = [
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'revocation_endpoint',
  'end_session_endpoint',
]

/** @throws AuthConfigurationError when a configured URL uses http. */
export function refuseConfiguredHttp(provider: OAuthProvider): void {
  const { issuer, discoveryUrl, emailsEndpoint } = provider
  const named = { issuer, discoveryUrl, emailsEndpoint, ...endpoints(provider) }
  refuseHttp(provider, named, Object.keys(named))
}

function refuseHttp(
  { id }: OAuthProvider,
  urls: Readonly<Record<string, unknown>>,
  names: readonly string[] = URLS_IN_USE,
): void {
  for (const name of names) {
    const url = urls[name]
    if (typeof url !== 'string' || !url.toLowerCase().startsWith('http:')) continue
    throw new ProviderSetupError(
      'insecure-url',
      `OAuth provider "${id}": the ${name} uses http. Use https, or set NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true for development.`,
    )
  }
}

/** The configured endpoints by their names in RFC 8414. */
export function endpoints(provider: OAuthProvider): Record<string, string> {
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

const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Compares exactly, except for `{tenantid}`: Entra ID signs for all tenants with the same keys. */
export function isIssuer(expected: string, issuer: string): boolean {
  const [before = '', after] = expected.split('{tenantid}')
  if (after === undefined) return issuer === expected
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return TENANT.test(tenant) && issuer === `${before}${tenant}${after}`
}

/**
 * Whether an issuer matches the configuration of a provider: the configured issuer, with or without
 * the trailing slash of a URL without a path, or one that matches its template.
 */
export function isIssuerOf(
  { issuer: configured, issuerTemplate }: OAuthProvider,
  issuer: string,
): boolean {
  if (configured === undefined) return false
  const { href } = new URL(configured)
  return [configured, href, href.replace(/\/$/, ''), issuerTemplate].some(
    (expected) => expected !== undefined && isIssuer(expected, issuer),
  )
}
