import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { ADMISSION_LISTS, admissionProblem } from './admission.js'
import {
  CLIENT_AUTH_METHODS,
  type OAuthProvider,
  type OAuthProviderOptions,
  type UserInfoFields,
} from './provider.js'
import { isClaimPath, validRoles } from './roles.js'

const DEFAULT_SCOPES = ['openid', 'profile', 'email']
/** A scope token (RFC 6749 section 3.3). */
const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/
const ENDPOINTS = [
  'authorizationEndpoint',
  'tokenEndpoint',
  'userInfoEndpoint',
  'revocationEndpoint',
  'endSessionEndpoint',
  'emailsEndpoint',
  'organizationsEndpoint',
] as const

/** Parameters that only this service may set. `request` and `request_uri` could contain the others. */
const RESERVED_PARAMS = new Set([
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
])

/**
 * Defines a provider that is not one of the presets.
 *
 * If the scopes of an OIDC provider include `offline_access`, `prompt=consent` is added unless a
 * prompt is set: providers ignore the scope without it (OpenID Connect Core section 11).
 *
 * @throws AuthConfigurationError with the provider, the option and the fix.
 *
 * @example
 * ```ts
 * const provider = defineOAuthProvider({
 *   id: 'my-idp',
 *   clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
 *   clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
 *   issuer: 'https://idp.example',
 *   redirectUri: 'https://app.example/api/v1/auth/callback',
 * })
 * ```
 */
export function defineOAuthProvider(options: OAuthProviderOptions): OAuthProvider {
  const offline = parseScopes(options.scopes ?? DEFAULT_SCOPES).includes('offline_access')
  if (!options.issuer || !offline) return createOAuthProvider(options)
  return createOAuthProvider({
    ...options,
    extraAuthParams: { prompt: 'consent', ...options.extraAuthParams },
  })
}

/**
 * Like {@link defineOAuthProvider}, but never adds a prompt, for presets.
 *
 * @param secretMethod Preferred method of a client with a secret, if `clientAuthMethod` is not set.
 * @throws AuthConfigurationError with the provider, the option and the fix.
 */
export function createOAuthProvider(
  options: OAuthProviderOptions,
  secretMethod: Exclude<OAuthProvider['clientAuthMethod'], 'none'> = 'client_secret_basic',
): OAuthProvider {
  const { id, clientId, clientSecret, issuer, discoveryUrl, redirectUri } = options
  const fail = (option: string, problem: string): never => {
    throw new AuthConfigurationError(`OAuth provider "${id}": ${option} ${problem}`)
  }
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(id)) {
    fail('id', 'must be 1 to 64 lower-case letters, digits and hyphens. Choose such an id.')
  }
  if (!clientId?.trim()) fail('clientId', 'is blank. Set it to the client id of the registration.')
  if (clientSecret !== undefined && !clientSecret.trim()) {
    fail('clientSecret', 'is blank. Set it, or leave it out for a public client.')
  }
  if (!redirectUri?.trim()) fail('redirectUri', 'is blank. Set it to the callback URL registered.')
  checkUrl(redirectUri, 'redirectUri', fail)
  if (issuer !== undefined) {
    checkUrl(issuer, 'issuer', fail)
    if (issuer.includes('?')) fail('issuer', 'must have no query. Remove it.')
  }
  if (discoveryUrl !== undefined) {
    checkUrl(discoveryUrl, 'discoveryUrl', fail)
    if (issuer === undefined) {
      fail('issuer', 'is missing. Set it to the issuer that the metadata at discoveryUrl names.')
    }
  }
  for (const name of ENDPOINTS) {
    const url = options[name]
    if (url !== undefined) checkUrl(url, name, fail)
  }
  if (issuer === undefined) {
    for (const name of ENDPOINTS.slice(0, 3)) {
      if (!options[name]) fail(name, 'is missing. Set it, or set issuer to discover the endpoints.')
    }
  }
  const scopes = parseScopes(options.scopes ?? DEFAULT_SCOPES)
  const additionalScopes = parseScopes(options.additionalScopes ?? [])
  for (const [name, list] of Object.entries({ scopes, additionalScopes })) {
    if (!list.every((scope) => SCOPE_TOKEN.test(scope))) {
      fail(name, 'must hold scope tokens of RFC 6749 section 3.3 only. Correct it.')
    }
  }
  if (issuer !== undefined && !scopes.includes('openid')) {
    fail('scopes', 'must include openid when an issuer is set. Add it.')
  }
  const { rolesClaim } = options
  if (rolesClaim !== undefined && !isClaimPath(rolesClaim)) {
    fail('rolesClaim', 'must be the name of a claim, or names separated by dots. Correct it.')
  }
  const rolesMap =
    options.rolesMap &&
    Object.fromEntries(
      Object.entries(options.rolesMap).map(([value, roles]) => [value, [roles].flat()]),
    )
  const mapped = Object.values(rolesMap ?? {}).flat()
  if (validRoles(mapped).length !== mapped.length) {
    fail('rolesMap', 'has a role that is blank, too long or has control characters. Rename it.')
  }
  const { admission } = options
  for (const name of ADMISSION_LISTS) {
    const problem = admission?.[name] && admissionProblem(name, admission[name])
    if (problem !== undefined) fail(`admission.${name}`, problem)
  }
  if (admission?.groupsClaim !== undefined && !isClaimPath(admission.groupsClaim)) {
    fail('admission.groupsClaim', 'must be the name of a claim, or a path with dots. Correct it.')
  }
  const needsAddress = [admission?.emails, admission?.emailDomains].some(
    (list) => list !== undefined && !list.includes('*'),
  )
  if (needsAddress && issuer?.startsWith('https://login.microsoftonline.com/')) {
    fail(
      'admission',
      'needs verified addresses, but Microsoft Entra does not say which are. Use admission.tenants (NETSCRIPT_AUTH_ALLOWED_TENANTS), and * for emailDomains where it is set for all providers.',
    )
  }
  if (admission?.organizations && options.organizationsEndpoint === undefined) {
    fail('admission.organizations', 'is for GitHub. Remove it, or set organizationsEndpoint.')
  }
  const { clientAuthMethod = clientSecret === undefined ? 'none' : secretMethod } = options
  if (!CLIENT_AUTH_METHODS.includes(clientAuthMethod)) {
    fail('clientAuthMethod', `must be one of ${CLIENT_AUTH_METHODS.join(', ')}.`)
  }
  if (clientAuthMethod !== 'none' && clientSecret === undefined) {
    fail('clientSecret', `is missing. Set it, or use clientAuthMethod none.`)
  }
  const pkce = options.pkce ?? true
  if (!pkce && (issuer === undefined || clientAuthMethod === 'none')) {
    fail('pkce', 'can be off only for an issuer and a client with a secret. Leave it on.')
  }
  if (options.stepUp && issuer === undefined) {
    fail('stepUp', 'needs an issuer: plain OAuth 2.0 has no auth_time. Leave it out.')
  }
  const authorizationParams = { ...options.extraAuthParams }
  const reserved = Object.keys(authorizationParams).find((name) => RESERVED_PARAMS.has(name.trim()))
  if (reserved !== undefined) {
    fail('extraAuthParams', `cannot set ${reserved}, which this service decides. Remove it.`)
  }
  const fields = options.userInfoFields ?? standardFields(scopes)
  return Object.freeze({
    id,
    displayName: options.displayName?.trim() || titleCase(id),
    kind: issuer === undefined ? 'oauth' : 'oidc',
    clientId: clientId.trim(),
    ...defined({ clientSecret, issuer, issuerTemplate: options.issuerTemplate, discoveryUrl }),
    ...defined({ rolesClaim }),
    ...(rolesMap && { rolesMap: Object.freeze(rolesMap) }),
    ...(options.isPublic && { isPublic: true as const }),
    ...(options.accountPrompt && { accountPrompt: options.accountPrompt }),
    ...(admission && { admission: Object.freeze({ ...admission }) }),
    ...defined(Object.fromEntries(ENDPOINTS.map((name) => [name, options[name]]))),
    redirectUri,
    scopes: Object.freeze(scopes),
    additionalScopes: Object.freeze(additionalScopes),
    clientAuthMethod,
    ...(options.clientAuthMethod !== undefined && { clientAuthMethodIsExplicit: true as const }),
    pkce,
    stepUp: options.stepUp ?? issuer !== undefined,
    authorizationParams: Object.freeze(authorizationParams),
    ...(options.signOutParams && { signOutParams: Object.freeze({ ...options.signOutParams }) }),
    userInfoFields: Object.freeze({ ...fields }),
  } satisfies OAuthProvider)
}

function parseScopes(scopes: string | readonly string[]): string[] {
  const list = typeof scopes === 'string' ? scopes.split(/\s+/) : scopes
  return [...new Set(list.filter(Boolean))]
}

function checkUrl(
  value: string,
  option: string,
  fail: (option: string, problem: string) => never,
): void {
  const url = URL.canParse(value) ? new URL(value) : fail(option, `is not an absolute URL. Fix it.`)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    fail(option, 'must begin with https://. Correct it.')
  }
  if (url.username || url.password) fail(option, 'must not carry a password. Remove it.')
  if (value.includes('#')) fail(option, 'must have no fragment. Remove it.')
}

function standardFields(scopes: readonly string[]): UserInfoFields {
  return {
    subject: scopes.includes('openid') ? 'sub' : 'id',
    displayName: ['name', 'preferred_username', 'username'],
    username: 'preferred_username',
    email: 'email',
    emailVerified: 'email_verified',
    imageUrl: 'picture',
  }
}

function titleCase(id: string): string {
  return id
    .split(/[-_]/)
    .filter(Boolean)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')
}

function defined<T extends Record<string, string | undefined>>(
  values: T,
): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string
  }
}

/**
 * Indexes providers by id, and marks those of several. A redirect URI is sent unchanged and must be registered. If several
 * providers share one, it is a base to which each appends its id as a path segment, so that every
 * provider has its own redirect URI (mix-up defense, RFC 9700 section 4.4.2.2).
 *
 * @throws AuthConfigurationError without a provider, and for two with the same id or redirect URI.
 */
export function providersById(list: readonly OAuthProvider[]): ReadonlyMap<string, OAuthProvider> {
  if (list.length === 0) {
    throw new AuthConfigurationError('createKvOAuthBackend needs a provider.')
  }
  const providers = new Map<string, OAuthProvider>()
  for (const provider of list) {
    if (providers.has(provider.id)) {
      throw new AuthConfigurationError(
        `Two providers have the id "${provider.id}". Give one of them another id.`,
      )
    }
    const isShared = list.some(
      (other) => other !== provider && other.redirectUri === provider.redirectUri,
    )
    const redirectUri = isShared
      ? redirectUriOf(provider.redirectUri, provider.id)
      : provider.redirectUri
    const { href } = new URL(redirectUri)
    const rival = [...providers.values()].find((other) => new URL(other.redirectUri).href === href)
    if (rival) {
      throw new AuthConfigurationError(
        `The providers "${rival.id}" and "${provider.id}" have the redirect URI ${redirectUri} both. Give each its own.`,
      )
    }
    providers.set(
      provider.id,
      list.length === 1 ? provider : { ...provider, redirectUri, isOneOfSeveral: true },
    )
  }
  return providers
}

/** The redirect URI of one of several providers: the shared one with `id` appended to its path. */
export function redirectUriOf(shared: string, id: string): string {
  const url = new URL(shared)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${id}`
  return url.href
}
