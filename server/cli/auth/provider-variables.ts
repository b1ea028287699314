import { authContractV1 } from '@netscript/auth-contract'
import { isPresetName, presetNames, providerFromPreset } from '@netscript/auth-kv-oauth'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import {
  PROVIDER_VARIABLES,
  type ProviderVariable,
  variablePrefix,
} from '../../config/providers.js'

/** Provider settings as given by the operator. */
export interface GivenProvider {
  clientId?: string
  /** When absent, the current secret is kept if the client stays the same. */
  clientSecret?: string
  publicClient?: boolean
  redirectUri?: string
  issuer?: string
  discoveryUrl?: string
  clientAuthMethod?: string
  domain?: string
  tenant?: string
  region?: string
  userPool?: string
  scopes?: string
  additionalScopes?: string
  rolesClaim?: string
  /** Keep the providers that are already configured. */
  add?: boolean
}

type Env = Readonly<Record<string, string | undefined>>

const PLAIN = 'NETSCRIPT_AUTH_'
type Setting = Exclude<ProviderVariable, 'REDIRECT_URI'>
const SETTINGS = PROVIDER_VARIABLES.filter((name): name is Setting => name !== 'REDIRECT_URI')

/** The options that determine the issuer, by preset. */
const TENANTS: Readonly<Record<string, readonly ('domain' | 'tenant' | 'region' | 'userPool')[]>> =
  {
    auth0: ['domain'],
    okta: ['domain'],
    logto: ['domain'],
    clerk: ['domain'],
    'aws-cognito': ['region', 'userPool'],
    'azure-ad': ['tenant'],
  }

/**
 * Returns the variables to set for a provider, given the `current` ones; an empty value clears a
 * variable. Settings that are not given are kept while they belong to the same provider.
 *
 * @throws AuthConfigurationError that names the option when a setting is missing or invalid.
 */
export function providerVariables(
  name: string,
  given: GivenProvider,
  current: Env,
): { id: string; variables: Record<string, string> } {
  const id = idOf(name)
  const place = placeOf(id, given, current)
  const old = place.isSame ? settingsOf(place.prefix, current) : {}
  const clientId = given.clientId ?? old.CLIENT_ID
  if (!clientId?.trim()) throw missing(`The client id of ${id}`, '--client-id')
  const isSameClient = clientId === old.CLIENT_ID
  const secret = given.clientSecret ?? (isSameClient ? old.CLIENT_SECRET : undefined)
  const issuer = issuerOf(id, given) ?? old.ISSUER
  if (!isPresetName(id) && !issuer) {
    throw new AuthConfigurationError(
      `There is no preset "${id}". Use one of ${presetNames.join(', ')}, or add --issuer for a provider of your own.`,
    )
  }
  if (id in TENANTS && id !== 'azure-ad' && !issuer) {
    throw missing(`${id} has an issuer for each customer, which`, tenantOptions(id))
  }
  const settings: Record<Setting, string | undefined> = {
    CLIENT_ID: clientId,
    CLIENT_SECRET: given.publicClient ? undefined : secret,
    ISSUER: issuer,
    DISCOVERY_URL: given.discoveryUrl ?? (issuer === old.ISSUER ? old.DISCOVERY_URL : undefined),
    CLIENT_AUTH_METHOD:
      given.clientAuthMethod ?? (given.publicClient ? undefined : old.CLIENT_AUTH_METHOD),
    SCOPES: given.scopes ?? old.SCOPES,
    ADDITIONAL_SCOPES: given.additionalScopes ?? old.ADDITIONAL_SCOPES,
    ROLES_CLAIM: given.rolesClaim ?? old.ROLES_CLAIM,
    STEP_UP: old.STEP_UP,
    AUTHORIZATION_ENDPOINT: old.AUTHORIZATION_ENDPOINT,
    TOKEN_ENDPOINT: old.TOKEN_ENDPOINT,
    USERINFO_ENDPOINT: old.USERINFO_ENDPOINT,
  }
  return {
    id,
    variables: {
      ...place.variables,
      ...under(place.prefix, settings),
      ...redirectUri(place.prefix, given, current),
    },
  }
}

/** Whether the configured client secret is kept, so that there is no need to prompt. */
export function keepsSecret(name: string, given: GivenProvider, current: Env): boolean {
  const { prefix, isSame } = placeOf(idOf(name), given, current)
  const old = settingsOf(prefix, current)
  const isSameClient = given.clientId === undefined || given.clientId === old.CLIENT_ID
  return isSame && isSameClient && old.CLIENT_SECRET !== undefined
}

function idOf(name: string): string {
  const id = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return isPresetName(id) ? id : name
}

/** Where a provider is configured. */
interface Place {
  prefix: string
  /** Whether the same provider is configured there now. */
  isSame: boolean
  /** Other changes: the list of providers, and a provider that moves there. */
  variables: Record<string, string>
}

function placeOf(id: string, { add = false }: GivenProvider, current: Env): Place {
  const ids = (current.NETSCRIPT_AUTH_PROVIDERS ?? '').split(/[\s,]+/).filter(Boolean)
  if (ids.includes(id)) return { prefix: variablePrefix(id), isSame: true, variables: {} }
  if (ids.length > 0) {
    if (add) return { ...listed(id), variables: { NETSCRIPT_AUTH_PROVIDERS: [...ids, id].join() } }
    throw new AuthConfigurationError(
      `${ids.join(' and ')} would be replaced. Use --add to keep what there is, or empty NETSCRIPT_AUTH_PROVIDERS.`,
    )
  }
  const single = singleProvider(current)
  if (!add || single === undefined || single === id) {
    const variables = { [`${PLAIN}PROVIDER_ID`]: id }
    return { prefix: PLAIN, isSame: single === id, variables }
  }
  return {
    ...listed(id),
    variables: {
      ...under(PLAIN, {}),
      ...under(variablePrefix(single), settingsOf(PLAIN, current)),
      [`${PLAIN}PROVIDER_ID`]: '',
      // Keeps the redirect URI valid that is registered at the first provider.
      [`${variablePrefix(single)}REDIRECT_URI`]: sharedRedirectUri(current),
      NETSCRIPT_AUTH_PROVIDERS: `${single},${id}`,
    },
  }
}

function listed(id: string): Pick<Place, 'prefix' | 'isSame'> {
  return { prefix: variablePrefix(id), isSame: false }
}

/** The provider of the short form, whose id has a default. */
function singleProvider(current: Env): string | undefined {
  const settings = settingsOf(PLAIN, current)
  if (settings.CLIENT_ID === undefined) return undefined
  return idOf(current[`${PLAIN}PROVIDER_ID`]?.trim() || (settings.ISSUER ? 'oidc' : 'google'))
}

function settingsOf(prefix: string, current: Env): Partial<Record<Setting, string>> {
  const set = SETTINGS.map((name) => [name, current[prefix + name]?.trim()] as const)
  return Object.fromEntries(set.filter(([, value]) => value))
}

function under(
  prefix: string,
  settings: Partial<Record<Setting, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(SETTINGS.map((name) => [prefix + name, settings[name] ?? '']))
}

/** Given for one of several providers it applies to that one; otherwise they share the service's address. */
function redirectUri(
  prefix: string,
  { redirectUri: given }: GivenProvider,
  current: Env,
): Record<string, string> {
  if (prefix === PLAIN) return { [`${PLAIN}REDIRECT_URI`]: given ?? sharedRedirectUri(current) }
  const own = `${prefix}REDIRECT_URI`
  if (given !== undefined) return { [own]: given }
  return current[own]?.trim() ? {} : { [`${PLAIN}REDIRECT_URI`]: sharedRedirectUri(current) }
}

function sharedRedirectUri(current: Env): string {
  const fallback = `http://localhost:${current.PORT?.trim() || '8094'}${authContractV1.callback.path}`
  return current[`${PLAIN}REDIRECT_URI`]?.trim() || fallback
}

function issuerOf(id: string, given: GivenProvider): string | undefined {
  const fitting = TENANTS[id] ?? []
  for (const option of ['domain', 'tenant', 'region', 'userPool'] as const) {
    if (given[option] !== undefined && !fitting.includes(option)) {
      throw new AuthConfigurationError(`${flag(option)} is not for ${id}. Leave it out.`)
    }
  }
  const isTenant = fitting.some((option) => given[option] !== undefined)
  if (!isTenant) return given.issuer
  if (given.issuer !== undefined) {
    throw new AuthConfigurationError(
      `--issuer replaces these options. Leave out ${fitting.map(flag).join(' and ')}.`,
    )
  }
  const { domain, tenant: tenantId, region, userPool: userPoolId } = given
  if (fitting.some((option) => given[option] === undefined)) {
    throw missing(`The issuer of ${id}`, tenantOptions(id))
  }
  const options: Parameters<typeof providerFromPreset>[1] = {
    clientId: 'any',
    redirectUri: 'http://localhost',
  }
  return providerFromPreset(id, { ...options, domain, tenantId, region, userPoolId }).issuer
}

function flag(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function tenantOptions(id: string): string {
  return `${(TENANTS[id] ?? []).map(flag).join(' and ')}, or --issuer`
}

function missing(what: string, options: string): AuthConfigurationError {
  return new AuthConfigurationError(`${what} is missing. Add ${options}.`)
}
