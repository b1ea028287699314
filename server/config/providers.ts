import { authContractV1, CallbackQuery, protocolContractV1 } from '@netscript/auth-contract'
import {
  type AdmissionRules,
  defineOAuthProvider,
  isPresetName,
  type OAuthProvider,
  providerFromPreset,
} from '@netscript/auth-kv-oauth'
import { CLIENT_AUTH_METHODS, redirectUriOf } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { queryOf, withoutEmpty } from '../engine/message.js'
import { listOf, type Variables } from './variables.js'

/** The settings of one provider, from the short or the prefixed variables. */
interface ProviderSettings {
  /** Variable prefix for messages, such as `NETSCRIPT_AUTH_` or `NETSCRIPT_AUTH_GOOGLE_`. */
  prefix: string
  id: string | undefined
  clientId: string | undefined
  clientSecret: string | undefined
  redirectUri: string | undefined
  /** The variable that sets the redirect URI, for messages. */
  redirectUriVariable: string
  issuer: string | undefined
  discoveryUrl: string | undefined
  clientAuthMethod: string | undefined
  authorizationEndpoint: string | undefined
  tokenEndpoint: string | undefined
  userInfoEndpoint: string | undefined
  scopes: readonly string[] | undefined
  additionalScopes: readonly string[] | undefined
  rolesClaim: string | undefined
  stepUp: string | boolean | undefined
  admission: AdmissionRules | undefined
}

/** The variables of one provider, without their prefix. */
export const PROVIDER_VARIABLES = [
  'CLIENT_ID',
  'CLIENT_SECRET',
  'REDIRECT_URI',
  'ISSUER',
  'DISCOVERY_URL',
  'CLIENT_AUTH_METHOD',
  'SCOPES',
  'ADDITIONAL_SCOPES',
  'ROLES_CLAIM',
  'STEP_UP',
  'AUTHORIZATION_ENDPOINT',
  'TOKEN_ENDPOINT',
  'USERINFO_ENDPOINT',
] as const
export type ProviderVariable = (typeof PROVIDER_VARIABLES)[number]

/** Variables that restrict who may sign in; a provider's own override the shared ones. */
export const ADMISSION_VARIABLES = [
  'ALLOWED_EMAILS',
  'ALLOWED_EMAIL_DOMAINS',
  'ALLOWED_SUBJECTS',
  'ALLOWED_GROUPS',
  'GROUPS_CLAIM',
  'ALLOWED_TENANTS',
  'ALLOWED_ORGANIZATIONS',
] as const
type AdmissionVariable = (typeof ADMISSION_VARIABLES)[number]

/** Settings that do not identify a provider: they also apply to the local one. */
const LOCAL_SETTINGS = new Set([
  'prefix',
  'redirectUriVariable',
  'id',
  'scopes',
  'additionalScopes',
  'rolesClaim',
  'admission',
])

const CALLBACK_PATH = authContractV1.callback.path
const ONE_OF_SEVERAL = protocolContractV1.providerCallback.pathParams
/** Parameters that the provider adds to the redirect URI, which must therefore not contain them. */
const ADDED = Object.keys(CallbackQuery.omit({ provider: true }).shape)

/**
 * Creates one reader per configured provider; none when no provider variable is set. A reader throws
 * AuthConfigurationError when its provider's settings are incomplete.
 */
export function providerReaders(
  variables: Variables,
  env: NodeJS.ProcessEnv,
): (() => OAuthProvider)[] {
  const ids = variables.NETSCRIPT_AUTH_PROVIDERS
  if (ids && ids.length > 0) {
    return ids.map((id) => () => toProvider(prefixedSettings(id, variables, env), variables))
  }
  const settings = plainSettings(variables)
  const isSet = Object.entries(settings).some(
    ([name, value]) => value !== undefined && !LOCAL_SETTINGS.has(name),
  )
  return isSet ? [() => toProvider(settings, variables)] : []
}

/** Variable prefix of one of several providers, such as `NETSCRIPT_AUTH_GOOGLE_`. */
export function variablePrefix(id: string): string {
  return `NETSCRIPT_AUTH_${id.toUpperCase().replaceAll('-', '_')}_`
}

function plainSettings(variables: Variables): ProviderSettings {
  return {
    prefix: 'NETSCRIPT_AUTH_',
    id: variables.NETSCRIPT_AUTH_PROVIDER_ID,
    clientId: variables.NETSCRIPT_AUTH_CLIENT_ID,
    clientSecret: variables.NETSCRIPT_AUTH_CLIENT_SECRET,
    redirectUri: variables.NETSCRIPT_AUTH_REDIRECT_URI,
    redirectUriVariable: 'NETSCRIPT_AUTH_REDIRECT_URI',
    issuer: variables.NETSCRIPT_AUTH_ISSUER,
    discoveryUrl: variables.NETSCRIPT_AUTH_DISCOVERY_URL,
    clientAuthMethod: variables.NETSCRIPT_AUTH_CLIENT_AUTH_METHOD,
    authorizationEndpoint: variables.NETSCRIPT_AUTH_AUTHORIZATION_ENDPOINT,
    tokenEndpoint: variables.NETSCRIPT_AUTH_TOKEN_ENDPOINT,
    userInfoEndpoint: variables.NETSCRIPT_AUTH_USERINFO_ENDPOINT,
    scopes: variables.NETSCRIPT_AUTH_SCOPES,
    additionalScopes: variables.NETSCRIPT_AUTH_ADDITIONAL_SCOPES,
    rolesClaim: variables.NETSCRIPT_AUTH_ROLES_CLAIM,
    stepUp: variables.NETSCRIPT_AUTH_STEP_UP,
    admission: admissionOf(variables),
  }
}

function prefixedSettings(
  id: string,
  variables: Variables,
  env: NodeJS.ProcessEnv,
): ProviderSettings {
  const prefix = variablePrefix(id)
  const read = (name: ProviderVariable): string | undefined =>
    env[prefix + name]?.trim() || undefined
  const isShared =
    read('REDIRECT_URI') === undefined && variables.NETSCRIPT_AUTH_REDIRECT_URI !== undefined
  const readList = (name: ProviderVariable): string[] | undefined => {
    const value = read(name)
    return value === undefined ? undefined : listOf(value)
  }
  return {
    prefix,
    id,
    clientId: read('CLIENT_ID'),
    clientSecret: read('CLIENT_SECRET'),
    redirectUri: read('REDIRECT_URI') ?? sharedRedirectUri(id, variables),
    redirectUriVariable: `${isShared ? 'NETSCRIPT_AUTH_' : prefix}REDIRECT_URI`,
    issuer: read('ISSUER'),
    discoveryUrl: read('DISCOVERY_URL'),
    clientAuthMethod: read('CLIENT_AUTH_METHOD'),
    authorizationEndpoint: read('AUTHORIZATION_ENDPOINT'),
    tokenEndpoint: read('TOKEN_ENDPOINT'),
    userInfoEndpoint: read('USERINFO_ENDPOINT'),
    scopes: readList('SCOPES'),
    additionalScopes: readList('ADDITIONAL_SCOPES'),
    rolesClaim: read('ROLES_CLAIM'),
    stepUp: read('STEP_UP'),
    admission: admissionOf(variables, (name) => env[prefix + name]?.trim() || undefined),
  }
}

/** The rules of a provider; `undefined` when no variable sets one. */
export function admissionOf(
  variables: Variables,
  read: (name: AdmissionVariable) => string | undefined = () => undefined,
): AdmissionRules | undefined {
  const listed = (
    name: Exclude<AdmissionVariable, 'GROUPS_CLAIM'>,
    separator?: RegExp,
  ): readonly string[] | undefined => {
    const own = read(name)
    return own === undefined ? variables[`NETSCRIPT_AUTH_${name}`] : listOf(own, separator)
  }
  const rules = {
    emails: listed('ALLOWED_EMAILS'),
    emailDomains: listed('ALLOWED_EMAIL_DOMAINS'),
    subjects: listed('ALLOWED_SUBJECTS'),
    groups: listed('ALLOWED_GROUPS', /,/),
    groupsClaim: read('GROUPS_CLAIM') ?? variables.NETSCRIPT_AUTH_GROUPS_CLAIM,
    tenants: listed('ALLOWED_TENANTS'),
    organizations: listed('ALLOWED_ORGANIZATIONS'),
  }
  const set = Object.entries(rules).filter(([, value]) => value !== undefined)
  return set.length > 0 ? Object.fromEntries(set) : undefined
}

/** With several providers, each has its own path below the shared redirect URI. */
function sharedRedirectUri(
  id: string,
  { NETSCRIPT_AUTH_REDIRECT_URI: shared, NETSCRIPT_AUTH_PROVIDERS: ids = [] }: Variables,
): string | undefined {
  return shared === undefined || ids.length === 1 ? shared : redirectUriOf(shared, id)
}

function toProvider(
  settings: ProviderSettings,
  { NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: allowsHttp }: Variables,
): OAuthProvider {
  const { prefix, issuer, discoveryUrl, authorizationEndpoint, tokenEndpoint, userInfoEndpoint } =
    settings
  const { id, clientId, redirectUri } = settings
  const isPreset = id !== undefined && isPresetName(id)
  const needsEndpoints =
    issuer === undefined && (authorizationEndpoint !== undefined || tokenEndpoint !== undefined)
  const missing = notSet(prefix, {
    CLIENT_ID: clientId,
    REDIRECT_URI: redirectUri,
    ...(needsEndpoints && {
      AUTHORIZATION_ENDPOINT: authorizationEndpoint,
      TOKEN_ENDPOINT: tokenEndpoint,
      USERINFO_ENDPOINT: userInfoEndpoint,
    }),
    // Without a preset that sets the issuer, the discovery document has nothing to be compared with.
    ...(discoveryUrl !== undefined && !isPreset && { ISSUER: issuer }),
  })
  if (clientId === undefined || redirectUri === undefined || missing.length > 0) {
    const [are, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them']
    throw new AuthConfigurationError(
      `${missing.join(', ')} ${are} not set, but other variables of the provider are. Set ${them}, or unset them all to use the local provider of netscript dev.`,
    )
  }
  checkRedirectUri(redirectUri, settings.redirectUriVariable)
  if (!allowsHttp) {
    refuseHttp(prefix, {
      ISSUER: issuer,
      DISCOVERY_URL: discoveryUrl,
      AUTHORIZATION_ENDPOINT: authorizationEndpoint,
      TOKEN_ENDPOINT: tokenEndpoint,
      USERINFO_ENDPOINT: userInfoEndpoint,
    })
  }
  const clientAuthMethod = clientAuthMethodOf(settings)
  const common = {
    clientId,
    redirectUri,
    ...(clientAuthMethod !== undefined && { clientAuthMethod }),
    ...(settings.clientSecret !== undefined && { clientSecret: settings.clientSecret }),
    ...(settings.scopes && { scopes: settings.scopes }),
    ...(settings.additionalScopes && { additionalScopes: settings.additionalScopes }),
    ...(settings.rolesClaim !== undefined && { rolesClaim: settings.rolesClaim }),
    ...(settings.stepUp !== undefined && { stepUp: stepUpOf(settings) }),
    ...(settings.admission && { admission: settings.admission }),
  }
  const endpoints = {
    ...(issuer !== undefined && { issuer }),
    ...(discoveryUrl !== undefined && { discoveryUrl }),
    ...(authorizationEndpoint !== undefined && { authorizationEndpoint }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(userInfoEndpoint !== undefined && { userInfoEndpoint }),
  }
  const isOwn = issuer !== undefined || authorizationEndpoint !== undefined
  return isOwn && !isPreset
    ? defineOAuthProvider({ id: id ?? 'oidc', ...common, ...endpoints })
    : providerFromPreset(id ?? 'google', { ...common, ...endpoints })
}

/** The service is mounted at the root of its origin, so only these paths reach a callback. */
function checkRedirectUri(redirectUri: string, variable: string): void {
  const problem = redirectUriProblem(redirectUri)
  if (problem === undefined) return
  throw new AuthConfigurationError(
    `${variable} ${problem}. Set it to the origin of the service and the path ${CALLBACK_PATH}, with or without /<id> at its end, as it is registered at the provider.`,
  )
}

function redirectUriProblem(redirectUri: string): string | undefined {
  if (!URL.canParse(redirectUri)) return 'is not an absolute URL'
  const { protocol, pathname, searchParams, username, password } = new URL(redirectUri)
  if (!/^https?:$/.test(protocol)) return 'is not an http or https URL'
  if (!isCallbackPath(pathname))
    return `has the path ${pathname}, which this service does not answer`
  if (redirectUri.includes('#') || username !== '' || password !== '') {
    return 'has a fragment or a user name'
  }
  const added = ADDED.find((name) => searchParams.has(name))
  if (added !== undefined) return `has the parameter ${added}, which is the provider's to add`
  const { success } = CallbackQuery.safeParse(queryOf(withoutEmpty(searchParams)))
  return success ? undefined : 'has a parameter provider that this service does not answer'
}

/** Whether the path is that of `/callback` or `/callback/:provider`. */
function isCallbackPath(path: string): boolean {
  if (path === CALLBACK_PATH) return true
  if (!path.startsWith(`${CALLBACK_PATH}/`)) return false
  const provider = path.slice(CALLBACK_PATH.length + 1)
  try {
    return (
      !provider.includes('/') &&
      ONE_OF_SEVERAL.safeParse({ provider: decodeURIComponent(provider) }).success
    )
  } catch {
    return false
  }
}

function refuseHttp(
  prefix: string,
  urls: Readonly<Partial<Record<ProviderVariable, string | undefined>>>,
): void {
  for (const [name, url] of Object.entries(urls)) {
    if (!/^http:/i.test(url ?? '')) continue
    throw new AuthConfigurationError(
      `${prefix}${name} uses http. Use https, or set NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true for development.`,
    )
  }
}

function clientAuthMethodOf({
  prefix,
  clientAuthMethod: given,
  clientSecret,
}: ProviderSettings): OAuthProvider['clientAuthMethod'] | undefined {
  if (given === undefined) return undefined
  const method = CLIENT_AUTH_METHODS.find((supported) => supported === given)
  if (method === undefined) {
    throw new AuthConfigurationError(
      `${prefix}CLIENT_AUTH_METHOD must be one of ${CLIENT_AUTH_METHODS.join(', ')}.`,
    )
  }
  if (method !== 'none' && clientSecret === undefined) {
    throw new AuthConfigurationError(
      `${prefix}CLIENT_AUTH_METHOD is ${method}, but ${prefix}CLIENT_SECRET is not set. Set it, or unset ${prefix}CLIENT_AUTH_METHOD for a public client.`,
    )
  }
  return method
}

function stepUpOf({ prefix, stepUp }: ProviderSettings): boolean {
  if (typeof stepUp === 'boolean') return stepUp
  if (stepUp === 'true' || stepUp === 'false') return stepUp === 'true'
  throw new AuthConfigurationError(`${prefix}STEP_UP must be true or false.`)
}

function notSet(
  prefix: string,
  needed: Readonly<Partial<Record<ProviderVariable, string | undefined>>>,
): string[] {
  return Object.entries(needed).flatMap(([name, value]) =>
    value === undefined ? [prefix + name] : [],
  )
}
