import type {
  Configuration,
  TokenEndpointResponse,
  TokenEndpointResponseHelpers,
  UserInfoResponse,
} from 'openid-client'
import { AuthError, providerError } from '../errors.js'
import { cleanText, cutClaims } from './claims.js'
import type { OAuthProvider } from './provider.js'
import { fetchUserClaims } from './user-info.js'

/** Who signed in, as the provider vouches for it. A person is (`issuer`, `subject`). */
export interface ProviderIdentity {
  /** The issuer of the id_token; the provider id for plain OAuth 2.0. */
  readonly issuer: string
  /** See {@link encodeSubject}. */
  readonly subject: string
  /** The session at the provider (OpenID Connect Back-Channel Logout section 2.1). */
  readonly sid?: string
  /** Cut to the allow-list; never tokens. */
  readonly claims: Record<string, unknown>
  readonly profile: {
    readonly displayName?: string
    readonly email?: string
    /** Only what the provider says; undefined when it does not. */
    readonly emailVerified?: boolean
    readonly imageUrl?: string
  }
}

const MAX_SUBJECT = 255

/**
 * The identity behind a token response.
 *
 * With an id_token its claims count; the user info endpoint is asked for the name and e-mail that it
 * lacks, and must name the same subject (OpenID Connect Core section 5.3.2). Without one, that is
 * plain OAuth 2.0, the user info endpoint is the only source.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when the provider does not say who it is.
 */
export async function resolveIdentity(
  provider: OAuthProvider,
  configuration: Configuration,
  tokens: TokenEndpointResponse & TokenEndpointResponseHelpers,
): Promise<ProviderIdentity> {
  if (provider.kind === 'oauth') {
    const claims = await fetchUserClaims(provider, configuration, tokens.access_token)
    return identityOf(provider, provider.id, claims)
  }
  const claims = tokens.claims()
  if (!claims) throw providerError(provider.id, 'The provider sent no id_token.')
  const missing = lacks(provider, claims)
    ? await fetchMissing(provider, configuration, tokens.access_token, claims.sub)
    : {}
  return identityOf(provider, claims.iss, merge(claims, missing))
}

function lacks({ scopes }: OAuthProvider, claims: Record<string, unknown>): boolean {
  return (
    (scopes.includes('email') && typeof claims.email !== 'string') ||
    (scopes.includes('profile') && typeof claims.name !== 'string')
  )
}

async function fetchMissing(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
  subject: string,
): Promise<Partial<UserInfoResponse>> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
  const client = await import('openid-client')
  try {
    return await client.fetchUserInfo(configuration, accessToken, subject)
  } catch (cause) {
    // An access token for another API is not accepted there; the id_token says enough to sign in.
    if (isRefusal(cause)) return {}
    throw providerError(provider.id, 'The user info of the provider could not be verified.', {
      cause,
    })
  }
}

function isRefusal(error: unknown): boolean {
  const { status, cause } = error as { status?: unknown; cause?: unknown }
  const code = cause instanceof Response ? cause.status : status
  return code === 401 || code === 403
}

/** The id_token wins. An address keeps the verdict of a source that names the same address. */
function merge(
  idToken: Record<string, unknown>,
  userInfo: Record<string, unknown>,
): Record<string, unknown> {
  const merged = { ...userInfo, ...idToken }
  if (idToken.email === userInfo.email) return merged
  const { email, email_verified } = typeof idToken.email === 'string' ? idToken : userInfo
  return { ...merged, email, email_verified }
}

function identityOf(
  provider: OAuthProvider,
  issuer: string,
  claims: Record<string, unknown>,
): ProviderIdentity {
  if (typeof claims.sub !== 'string') {
    throw providerError(
      provider.id,
      `The provider sent no user id in ${provider.userInfoFields.subject}.`,
    )
  }
  const subject = encodeSubject(claims.sub, provider.id)
  const sid = claims.sid
  const profile = {
    displayName: firstText(255, claims.name, claims.preferred_username, claims.nickname),
    email: firstText(320, claims.email),
    emailVerified: typeof claims.email_verified === 'boolean' ? claims.email_verified : undefined,
    imageUrl: webUrl(firstText(2048, claims.picture)),
  }
  if (profile.email === undefined) profile.emailVerified = undefined
  return {
    issuer,
    subject,
    ...(typeof sid === 'string' &&
      sid !== '' &&
      sid.length <= MAX_SUBJECT && { sid: escapeForStore(sid) }),
    claims: cutClaims({ ...claims, sub: subject }),
    profile: Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined)),
  }
}

function firstText(maxLength: number, ...values: unknown[]): string | undefined {
  for (const value of values) {
    if (typeof value !== 'string') continue
    const text = cleanText(value).trim()
    if (text !== '' && text.length <= maxLength) return text
  }
  return undefined
}

function webUrl(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined
}

/**
 * A subject as it is stored and compared. Postgres refuses NUL and lone surrogates, so these and the
 * backslash are written as `\uXXXX`; every other subject stays as it is, and no two become one.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when it is empty or over 255 UTF-16 units (OpenID Connect
 * Core section 2 allows 255 ASCII characters).
 */
export function encodeSubject(raw: string, providerId?: string): string {
  if (raw === '' || raw.length > MAX_SUBJECT) {
    const reason = 'The provider sent a user id that is empty or longer than 255 characters.'
    throw new AuthError('AUTH_PROVIDER_ERROR', reason, {
      data: { reason, ...(providerId !== undefined && { providerId }) },
    })
  }
  return escapeForStore(raw)
}

function escapeForStore(text: string): string {
  return text.replace(
    /[\\\0\p{Surrogate}]/gu,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
