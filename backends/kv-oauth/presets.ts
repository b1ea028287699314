import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { OAuthProvider, OAuthProviderOptions } from './provider.js'
import { createOAuthProvider } from './define-provider.js'

/** Options of every preset. Explicit endpoints take precedence, for self-hosted editions and proxies. */
export interface PresetOptions extends Pick<
  OAuthProviderOptions,
  | 'clientId'
  | 'clientSecret'
  | 'redirectUri'
  | 'scopes'
  | 'additionalScopes'
  | 'rolesClaim'
  | 'rolesMap'
  | 'clientAuthMethod'
  | 'extraAuthParams'
  | 'displayName'
  | 'authorizationEndpoint'
  | 'tokenEndpoint'
  | 'userInfoEndpoint'
  | 'revocationEndpoint'
  | 'endSessionEndpoint'
  | 'signOutParams'
  | 'stepUp'
  | 'accountPrompt'
  | 'admission'
> {
  /** Set it to use a preset twice. @default the id of the preset */
  id?: string | undefined
}

/** The options of all presets, for configuration by environment variables. */
interface AnyPresetOptions extends PresetOptions {
  /** The issuer identifier. @default the issuer of the preset */
  issuer?: string | undefined
  /** The URL of the metadata. @default `/.well-known/openid-configuration` at the issuer */
  discoveryUrl?: string | undefined
  /** A host name such as `example.eu.auth0.com`, with or without `https://`. Required without `issuer`. */
  domain?: string | undefined
  /** The id or domain of a tenant, or `common`, `organizations`, `consumers`. @default 'common' */
  tenantId?: string | undefined
  /** The region of the user pool, such as `eu-west-1`. Required without `issuer`. */
  region?: string | undefined
  /** The id of the user pool, such as `eu-west-1_AbCdEf123`. Required without `issuer`. */
  userPoolId?: string | undefined
}

/** Options of presets for OpenID Connect providers. */
type IssuerPresetOptions = PresetOptions & Pick<AnyPresetOptions, 'issuer' | 'discoveryUrl'>
/** Options of presets with a domain per customer: `issuer` or `domain` is required. */
type DomainPresetOptions = IssuerPresetOptions & Pick<AnyPresetOptions, 'domain'>

type Defaults = Omit<
  OAuthProviderOptions,
  'clientId' | 'clientSecret' | 'redirectUri' | 'clientAuthMethod'
> & {
  /** How a client with a secret authenticates, unless the metadata excludes it. */
  secretMethod?: Exclude<OAuthProvider['clientAuthMethod'], 'none'>
}

function build(options: IssuerPresetOptions, defaults: Defaults): OAuthProvider {
  const { secretMethod, extraAuthParams, ...preset } = defaults
  const misplaced = (['issuer', 'discoveryUrl'] as const).find((name) => options[name])
  if (!preset.issuer && misplaced) {
    throw new AuthConfigurationError(
      `OAuth provider "${preset.id}": ${misplaced} cannot be set, because ${preset.displayName} issues no id_token for sign-in. Remove it.`,
    )
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as Omit<PresetOptions, 'id'>
  return createOAuthProvider(
    {
      ...preset,
      ...given,
      id: options.id ?? preset.id,
      extraAuthParams: { ...extraAuthParams, ...options.extraAuthParams },
    },
    secretMethod,
  )
}

const GITLAB = 'https://gitlab.com'
/** Tenants that stand for any organization, any personal account, or both. */
const ENTRA_PUBLIC = ['common', 'organizations', 'consumers']
const ENTRA_ISSUER = /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/v2\.0$/

/**
 * The presets. Each returns a frozen {@link OAuthProvider}.
 *
 * @throws AuthConfigurationError (each preset) with the provider, the option and the fix.
 *
 * @example
 * ```ts
 * providers.google({
 *   clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
 *   clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
 *   redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
 * })
 * ```
 */
export const providers = Object.freeze({
  /** GitHub. The address is the primary one of `GET /user/emails`; the profile has only a public one. */
  github: (options: PresetOptions): OAuthProvider => {
    const userInfoEndpoint = options.userInfoEndpoint ?? 'https://api.github.com/user'
    return build(options, {
      id: 'github',
      displayName: 'GitHub',
      scopes: [
        'read:user',
        'user:email',
        ...(options.admission?.organizations ? ['read:org'] : []),
      ],
      isPublic: options.userInfoEndpoint === undefined,
      accountPrompt: 'select_account',
      secretMethod: 'client_secret_post',
      authorizationEndpoint: 'https://github.com/login/oauth/authorize',
      tokenEndpoint: 'https://github.com/login/oauth/access_token',
      userInfoEndpoint,
      emailsEndpoint: `${userInfoEndpoint}/emails`,
      organizationsEndpoint: `${userInfoEndpoint}/orgs`,
      userInfoFields: {
        subject: 'id',
        displayName: ['name', 'login'],
        username: 'login',
        imageUrl: 'avatar_url',
      },
    })
  },

  /**
   * Google. It sends a refresh token only with `access_type=offline` and `prompt=consent`. It ignores
   * `max_age`.
   */
  google: (options: IssuerPresetOptions): OAuthProvider =>
    build(options, {
      id: 'google',
      isPublic: true,
      accountPrompt: 'select_account',
      displayName: 'Google',
      issuer: 'https://accounts.google.com',
      stepUp: false,
      extraAuthParams: { access_type: 'offline', prompt: 'consent' },
    }),

  /** GitLab. Set `issuer` for a self-managed instance. */
  gitlab: (options: IssuerPresetOptions): OAuthProvider =>
    build(options, {
      id: 'gitlab',
      isPublic: (options.issuer ?? GITLAB) === GITLAB,
      displayName: 'GitLab',
      issuer: GITLAB,
    }),

  /** Discord. */
  discord: (options: PresetOptions): OAuthProvider =>
    build(options, {
      id: 'discord',
      isPublic: true,
      displayName: 'Discord',
      scopes: ['identify', 'email'],
      authorizationEndpoint: 'https://discord.com/oauth2/authorize',
      tokenEndpoint: 'https://discord.com/api/oauth2/token',
      userInfoEndpoint: 'https://discord.com/api/users/@me',
      revocationEndpoint: 'https://discord.com/api/oauth2/token/revoke',
      userInfoFields: {
        subject: 'id',
        displayName: ['global_name', 'username'],
        username: 'username',
        email: 'email',
        emailVerified: 'verified',
        imageUrl: 'https://cdn.discordapp.com/avatars/{id}/{avatar}.png',
      },
    }),

  /**
   * Slack, with OpenID Connect. Its token endpoint rejects a client secret together with a PKCE
   * verifier, so a client with a secret relies on the nonce (RFC 9700 section 2.1.1). It documents no
   * `max_age`.
   */
  slack: (options: IssuerPresetOptions): OAuthProvider =>
    build(options, {
      id: 'slack',
      isPublic: true,
      displayName: 'Slack',
      secretMethod: 'client_secret_post',
      issuer: 'https://slack.com',
      pkce: !options.clientSecret || options.clientAuthMethod === 'none',
      stepUp: false,
    }),

  /** Spotify. It does not say whether an e-mail address is verified. */
  spotify: (options: PresetOptions): OAuthProvider =>
    build(options, {
      id: 'spotify',
      isPublic: true,
      displayName: 'Spotify',
      scopes: ['user-read-email'],
      authorizationEndpoint: 'https://accounts.spotify.com/authorize',
      tokenEndpoint: 'https://accounts.spotify.com/api/token',
      userInfoEndpoint: 'https://api.spotify.com/v1/me',
      userInfoFields: {
        subject: 'id',
        displayName: ['display_name'],
        email: 'email',
        imageUrl: 'images.0.url',
      },
    }),

  /** Facebook. Its Graph API returns only id and name unless the fields are listed. */
  facebook: (options: PresetOptions): OAuthProvider =>
    build(options, {
      id: 'facebook',
      isPublic: true,
      displayName: 'Facebook',
      scopes: ['email', 'public_profile'],
      secretMethod: 'client_secret_post',
      authorizationEndpoint: 'https://www.facebook.com/dialog/oauth',
      tokenEndpoint: 'https://graph.facebook.com/oauth/access_token',
      userInfoEndpoint: 'https://graph.facebook.com/me?fields=id,name,email,picture',
      userInfoFields: {
        subject: 'id',
        displayName: ['name'],
        email: 'email',
        imageUrl: 'picture.data.url',
      },
    }),

  /**
   * X. It sends a refresh token for the scope `offline.access`. Add the scope `users.email`, once the
   * app is allowed to request it, to receive the confirmed address.
   */
  twitter: (options: PresetOptions): OAuthProvider => {
    const fields = ['id', 'name', 'username', 'profile_image_url']
    const scopes = typeof options.scopes === 'string' ? options.scopes.split(/\s+/) : options.scopes
    if (scopes?.includes('users.email')) fields.push('confirmed_email')
    return build(options, {
      id: 'twitter',
      isPublic: true,
      displayName: 'X',
      scopes: ['users.read', 'tweet.read', 'offline.access'],
      authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
      tokenEndpoint: 'https://api.x.com/2/oauth2/token',
      userInfoEndpoint: `https://api.x.com/2/users/me?user.fields=${fields.join(',')}`,
      revocationEndpoint: 'https://api.x.com/2/oauth2/revoke',
      userInfoFields: {
        subject: 'data.id',
        displayName: ['data.name', 'data.username'],
        username: 'data.username',
        email: 'data.confirmed_email',
        emailVerified: true,
        imageUrl: 'data.profile_image_url',
      },
    })
  },

  /** Auth0. */
  auth0: (options: DomainPresetOptions): OAuthProvider =>
    build(options, {
      id: 'auth0',
      displayName: 'Auth0',
      secretMethod: 'client_secret_post',
      issuer: domainIssuer('auth0', options),
    }),

  /** Okta. Set `issuer` for a custom authorization server, such as `https://<domain>/oauth2/default`. */
  okta: (options: DomainPresetOptions): OAuthProvider =>
    build(options, {
      id: 'okta',
      displayName: 'Okta',
      rolesClaim: 'groups',
      issuer: domainIssuer('okta', options),
    }),

  /**
   * Amazon Cognito user pools: `issuer`, or `region` and `userPoolId`, are required. Their sign-out uses
   * `logout_uri` and returns no state. They document no `max_age`.
   */
  awsCognito: (
    options: IssuerPresetOptions & Pick<AnyPresetOptions, 'region' | 'userPoolId'>,
  ): OAuthProvider => {
    const { region, userPoolId } = options
    if (!options.issuer && !(region && userPoolId)) {
      throw missing('aws-cognito', 'region and userPoolId')
    }
    return build(options, {
      id: 'aws-cognito',
      displayName: 'AWS Cognito',
      rolesClaim: 'cognito:groups',
      signOutParams: { logout_uri: '{return_uri}' },
      stepUp: false,
      issuer:
        options.issuer ??
        `https://cognito-idp.${segment('aws-cognito', 'region', region)}.amazonaws.com/${segment('aws-cognito', 'userPoolId', userPoolId)}`,
    })
  },

  /**
   * Microsoft Entra ID. If the tenant is not an id (such as `common`), the metadata has an issuer
   * template or the id of the tenant; the id_token is then verified against the tenant in its issuer.
   * `auth_time` is an optional claim of the app registration: set `stepUp` once it is added.
   */
  azureAd: (options: IssuerPresetOptions & Pick<AnyPresetOptions, 'tenantId'>): OAuthProvider => {
    const named = ENTRA_ISSUER.exec(options.issuer ?? '')?.[1]
    const tenant = segment('azure-ad', 'tenantId', named ?? options.tenantId ?? 'common')
    const byId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant)
    return build(options, {
      id: 'azure-ad',
      isPublic: ENTRA_PUBLIC.includes(tenant),
      accountPrompt: 'select_account',
      displayName: 'Azure AD',
      stepUp: false,
      secretMethod: 'client_secret_post',
      issuer: options.issuer ?? `https://login.microsoftonline.com/${tenant}/v2.0`,
      issuerTemplate:
        (options.issuer && !named) || byId
          ? undefined
          : 'https://login.microsoftonline.com/{tenantid}/v2.0',
    })
  },

  /** Logto. Its issuer is `/oidc` at the domain, and `offline_access` requires `prompt=consent`. */
  logto: (options: DomainPresetOptions): OAuthProvider => {
    const issuer = domainIssuer('logto', options)
    const { scopes = [] } = options
    return build(options, {
      id: 'logto',
      displayName: 'Logto',
      issuer: options.issuer || issuer.endsWith('/oidc') ? issuer : `${issuer}/oidc`,
      ...(scopes.includes('offline_access') && { extraAuthParams: { prompt: 'consent' } }),
    })
  },

  /** Clerk. It documents no `max_age`. */
  clerk: (options: DomainPresetOptions): OAuthProvider =>
    build(options, {
      id: 'clerk',
      displayName: 'Clerk',
      stepUp: false,
      issuer: domainIssuer('clerk', options),
    }),
})

const BY_ID = new Map<string, (options: AnyPresetOptions) => OAuthProvider>(
  Object.entries(providers).map(([name, preset]) => [kebab(name), preset]),
)

/** The ids of the presets: `github`, ..., `aws-cognito`, `azure-ad`, ... */
export const presetNames: readonly string[] = Object.freeze([...BY_ID.keys()])

/** Whether {@link providerFromPreset} knows the name. */
export function isPresetName(name: string): boolean {
  return BY_ID.has(kebab(name))
}

/**
 * Creates a provider from a preset, by its id (`azure-ad`) or function name (`azureAd`).
 *
 * @throws AuthConfigurationError for an unknown name; it lists the known ones.
 *
 * @example
 * ```ts
 * const provider = providerFromPreset('auth0', {
 *   domain: 'example.eu.auth0.com',
 *   clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
 *   clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
 *   redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
 * })
 * ```
 */
export function providerFromPreset(name: string, options: AnyPresetOptions): OAuthProvider {
  const preset = BY_ID.get(kebab(name))
  if (!preset) {
    throw new AuthConfigurationError(
      `There is no provider preset "${name}". Set NETSCRIPT_AUTH_PROVIDER_ID to one of ${presetNames.join(', ')}, or set NETSCRIPT_AUTH_ISSUER for a provider of your own.`,
    )
  }
  return preset(options)
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function domainIssuer(id: string, { issuer, domain }: DomainPresetOptions): string {
  if (issuer) return issuer
  if (!domain) throw missing(id, 'domain')
  return (domain.includes('://') ? domain : `https://${domain}`).replace(/\/+$/, '')
}

function missing(id: string, options: string): AuthConfigurationError {
  return new AuthConfigurationError(
    `OAuth provider "${id}": issuer is missing. Set issuer, or ${options}.`,
  )
}

/** Validates a value that becomes part of the host or path of the issuer. */
function segment(id: string, option: string, value = ''): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return value
  throw new AuthConfigurationError(
    `OAuth provider "${id}": ${option} may have letters, digits, dots, hyphens and underscores only. Correct it.`,
  )
}
