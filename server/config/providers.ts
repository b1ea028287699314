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
import { listOf } from './variable-types.js'
import type { Variables } from './variables.js'

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

/** The values of a provider's variables. */
type ProviderValues = Readonly<
  Record<Exclude<ProviderVariable, ListVariable | 'STEP_UP'>, string | undefined> &
    Record<ListVariable, readonly string[] | undefined> &
    Record<'STEP_UP', string | boolean | undefined>
>

const LIST_VARIABLES = ['SCOPES', 'ADDITIONAL_SCOPES'] as const
type ListVariable = (typeof LIST_VARIABLES)[number]

/** The settings of one provider, from the short or the prefixed variables. */
interface ProviderSettings {
  /** Variable prefix for messages, such as `NETSCRIPT_AUTH_` or `NETSCRIPT_AUTH_GOOGLE_`. */
  prefix: string
  id: string | undefined
  values: ProviderValues
  /** The variable that sets the redirect URI, for messages. */
  redirectUriVariable: string
  admission: AdmissionRules | undefined
}

/** Variables that do not identify a provider: they also apply to the local one. */
const LOCAL_VARIABLES: readonly ProviderVariable[] = [...LIST_VARIABLES, 'ROLES_CLAIM']

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
  const isSet = PROVIDER_VARIABLES.some(
    (name) => !LOCAL_VARIABLES.includes(name) && settings.values[name] !== undefined,
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
    values: valuesOf((name) => variables[`NETSCRIPT_AUTH_${name}`]),
    redirectUriVariable: 'NETSCRIPT_AUTH_REDIRECT_URI',
    admission: admissionOf(variables),
  }
}

function prefixedSettings(
  id: string,
  variables: Variables,
  env: NodeJS.ProcessEnv,
): ProviderSettings {
  const prefix = variablePrefix(id)
  const read = (name: string): string | undefined => env[prefix + name]?.trim() || undefined
  const own = valuesOf(read)
  const isShared =
    own.REDIRECT_URI === undefined && variables.NETSCRIPT_AUTH_REDIRECT_URI !== undefined
  return {
    prefix,
    id,
    values: { ...own, REDIRECT_URI: own.REDIRECT_URI ?? sharedRedirectUri(id, variables) },
    redirectUriVariable: `${isShared ? 'NETSCRIPT_AUTH_' : prefix}REDIRECT_URI`,
    admission: admissionOf(variables, read),
  }
}

/** Reads the variables of a provider, and splits lists that are still text. */
function valuesOf(
  read: (name: ProviderVariable) => string | readonly string[] | boolean | undefined,
): ProviderValues {
  const isList = (name: string): boolean => LIST_VARIABLES.some((one) => one === name)
  const values = PROVIDER_VARIABLES.map((name) => {
    const value = read(name)
    return [name, typeof value === 'string' && isList(name) ? listOf(value) : value]
  })
  return Object.fromEntries(values) as ProviderValues
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
  const { prefix, id, values } = settings
  const { CLIENT_ID: clientId, REDIRECT_URI: redirectUri, ISSUER: issuer } = values
  const { AUTHORIZATION_ENDPOINT: authorizationEndpoint, TOKEN_ENDPOINT: tokenEndpoint } = values
  const { DISCOVERY_URL: discoveryUrl, USERINFO_ENDPOINT: userInfoEndpoint } = values
  const isPreset = id !== undefined && isPresetName(id)
  const needsEndpoints =
    issuer === undefined && (authorizationEndpoint !== undefined || tokenEndpoint !== undefined)
  const needed: ProviderVariable[] = [
    'CLIENT_ID',
    'REDIRECT_URI',
    ...(needsEndpoints ? ENDPOINTS : []),
    // Without a preset that sets the issuer, the discovery document has nothing to be compared with.
    ...(discoveryUrl !== undefined && !isPreset ? ['ISSUER' as const] : []),
  ]
  const missing = needed.filter((name) => values[name] === undefined).map((name) => prefix + name)
  if (clientId === undefined || redirectUri === undefined || missing.length > 0) {
    const [are, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them']
    throw new AuthConfigurationError(
      `${missing.join(', ')} ${are} not set, but other variables of the provider are. Set ${them}, or unset them all to use the local provider of netscript dev.`,
    )
  }
  checkRedirectUri(redirectUri, settings.redirectUriVariable)
  if (!allowsHttp) refuseHttp(settings)
  const clientAuthMethod = clientAuthMethodOf(settings)
  const stepUp = stepUpOf(settings)
  const common = {
    clientId,
    redirectUri,
    ...(clientAuthMethod !== undefined && { clientAuthMethod }),
    ...(values.CLIENT_SECRET !== undefined && { clientSecret: values.CLIENT_SECRET }),
    ...(values.SCOPES && { scopes: values.SCOPES }),
    ...(values.ADDITIONAL_SCOPES && { additionalScopes: values.ADDITIONAL_SCOPES }),
    ...(values.ROLES_CLAIM !== undefined && { rolesClaim: values.ROLES_CLAIM }),
    ...(stepUp !== undefined && { stepUp }),
    ...(settings.admission && { admission: settings.admission }),
    ...(issuer !== undefined && { issuer }),
    ...(discoveryUrl !== undefined && { discoveryUrl }),
    ...(authorizationEndpoint !== undefined && { authorizationEndpoint }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(userInfoEndpoint !== undefined && { userInfoEndpoint }),
  }
  const isOwn = issuer !== undefined || authorizationEndpoint !== undefined
  return isOwn && !isPreset
    ? defineOAuthProvider({ id: id ?? 'oidc', ...common })
    : providerFromPreset(id ?? 'google', common)
}

const ENDPOINTS = ['AUTHORIZATION_ENDPOINT', 'TOKEN_ENDPOINT', 'USERINFO_ENDPOINT'] as const

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

function refuseHttp({ prefix, values }: ProviderSettings): void {
  const http = (['ISSUER', 'DISCOVERY_URL', ...ENDPOINTS] as const).find((name) =>
    /^http:/i.test(values[name] ?? ''),
  )
  if (http === undefined) return
  throw new AuthConfigurationError(
    `${prefix}${http} uses http. Use https, or set NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS=true for development.`,
  )
}

function clientAuthMethodOf({
  prefix,
  values: { CLIENT_AUTH_METHOD: given, CLIENT_SECRET: clientSecret },
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

function stepUpOf({ prefix, values: { STEP_UP: stepUp } }: ProviderSettings): boolean | undefined {
  if (typeof stepUp !== 'string') return stepUp
  if (stepUp === 'true' || stepUp === 'false') return stepUp === 'true'
  throw new AuthConfigurationError(`${prefix}STEP_UP must be true or false.`)
}
