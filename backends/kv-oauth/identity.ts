import type { Configuration, UserInfoResponse } from 'openid-client'
import { AuthError, type AuthLog, providerError, silentLog } from '@netscript/plugin-auth-core'
import { cleanText, verdictOf } from './claims.js'
import type { OAuthProvider } from './provider.js'
import {
  failureOf,
  NOT_IDENTIFIED,
  NOT_VERIFIED,
  ProviderAnswerError,
  statusOf,
} from './provider-failure.js'
import { type FoundRoles, hasIgnoredRoles, readRoles, rolesFrom } from './roles.js'
import type { Tokens } from './tokens.js'
import { fetchOrganizations, fetchUserClaims } from './user-info.js'
import { metadataOf } from './configuration.js'

/** The identity that the provider asserts. (`issuer`, `subject`) identifies a user. */
export interface ProviderIdentity {
  /** The issuer of the id_token, or the provider id for plain OAuth 2.0. */
  readonly issuer: string
  /** The provider subject, encoded by {@link encodeSubject}. */
  readonly subject: string
  /** The session id at the provider (OpenID Connect Back-Channel Logout 1.0 section 2.1). */
  readonly sid?: string
  /** All claims of the provider. A session stores fewer. */
  readonly claims: Record<string, unknown>
  /** Absent when the provider sends no roles claim for this user. */
  readonly roles?: FoundRoles & { readonly from: 'id-token' | 'user-info' }
  /** The GitHub organizations of the user; absent unless a rule needs them. */
  readonly organizations?: readonly string[]
  readonly profile: {
    readonly displayName?: string
    readonly email?: string
    /** As asserted by the provider; undefined when it does not say. */
    readonly emailVerified?: boolean
    readonly imageUrl?: string
  }
}

/** What a provider says about a user when it renews tokens. */
export interface RenewedClaims {
  /** Those of the id_token, with those of the user info if it was asked; `undefined` without both. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /** The response of the user info endpoint, if it was asked. */
  readonly userInfo?: unknown
  readonly organizations?: readonly string[] | undefined
  /** Why the user info could not be read. */
  readonly failure?: unknown
}

const MAX_SUBJECT = 255

/**
 * Resolves the identity of a token response.
 *
 * With an id_token, its claims take precedence. Name, e-mail address and roles that it lacks come
 * from the user info endpoint, which must return the same subject (OpenID Connect Core section
 * 5.3.2). For plain OAuth 2.0 the user info endpoint is the only source.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when the provider does not identify the user.
 */
export async function resolveIdentity(
  provider: OAuthProvider,
  configuration: Configuration,
  tokens: Tokens,
  log: AuthLog = silentLog,
): Promise<ProviderIdentity> {
  if (provider.kind === 'oauth') {
    const { info, claims } = await fetchUserClaims(provider, configuration, tokens.access_token)
    const isStandard = provider.userInfoFields.subject === 'sub'
    const roles = provider.rolesClaim || isStandard ? rolesOf(provider, info, log) : undefined
    const organizations = await fetchOrganizations(provider, configuration, tokens.access_token)
    return {
      ...identityOf(provider, provider.id, claims, roles && { ...roles, from: 'user-info' }),
      ...(organizations && { organizations }),
    }
  }
  const claims = tokens.claims()
  if (!claims) {
    const cause = new ProviderAnswerError('id-token-missing', 'The provider sent no id_token.')
    throw providerError(provider.id, NOT_IDENTIFIED, { cause })
  }
  const userInfo = lacks(provider, claims)
    ? await fetchUserInfo(provider, configuration, tokens.access_token, claims.sub, log)
    : {}
  const proven = rolesOf(provider, claims, log)
  const told = rolesOf(provider, userInfo, log)
  const roles = proven
    ? ({ ...proven, from: 'id-token' } as const)
    : told && ({ ...told, from: 'user-info' } as const)
  return identityOf(provider, claims.iss, merge(claims, userInfo), roles)
}

/**
 * Asks the user info endpoint again, with a renewed access token. Claims of the id_token take precedence.
 *
 * @throws when it cannot be read, or is about another user.
 */
export async function userInfoAgain(
  provider: OAuthProvider,
  configuration: Configuration,
  tokens: Tokens,
  subject: string,
): Promise<RenewedClaims> {
  const accessToken = tokens.access_token
  if (provider.kind === 'oauth') {
    const { info, claims } = await fetchUserClaims(provider, configuration, accessToken)
    assertSameSubject(claims.sub, subject)
    const organizations = await fetchOrganizations(provider, configuration, accessToken)
    return { claims, userInfo: info, organizations }
  }
  const claims = tokens.claims()
  if (metadataOf(configuration).userinfo_endpoint === undefined) return { claims }
  const client = await import('openid-client')
  // The subject that the session stores is encoded.
  const userInfo = await client.fetchUserInfo(configuration, accessToken, client.skipSubjectCheck)
  assertSameSubject(userInfo.sub, subject)
  return { claims: merge(claims ?? {}, userInfo), userInfo }
}

function assertSameSubject(sub: unknown, subject: string): void {
  if (typeof sub === 'string' && encodeSubject(sub) === subject) return
  throw new ProviderAnswerError('subject-unusable', 'The user info is about another user.')
}

const warned = new WeakSet<OAuthProvider>()

/** The roles in claims. Warns once of roles that do not count. */
function rolesOf(provider: OAuthProvider, claims: unknown, log: AuthLog): FoundRoles | undefined {
  if (hasIgnoredRoles(provider, claims) && !warned.has(provider)) {
    warned.add(provider)
    log.warn(
      { event: 'roles.ignored', provider: provider.id },
      `The claim "roles" of the provider "${provider.id}" is ignored, because there are several providers. If it should count, set rolesClaim of the provider (NETSCRIPT_AUTH_<ID>_ROLES_CLAIM).`,
    )
  }
  return rolesFrom(provider, claims)
}

function lacks(
  { scopes, rolesClaim, admission }: OAuthProvider,
  claims: Record<string, unknown>,
): boolean {
  return (
    (admission?.groups !== undefined &&
      readRoles(claims, admission.groupsClaim ?? 'groups') === undefined) ||
    (scopes.includes('email') && !isText(claims.email)) ||
    (scopes.includes('profile') && !isText(claims.name)) ||
    (rolesClaim !== undefined && readRoles(claims, rolesClaim) === undefined)
  )
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

/** Fetches the user info. It may be unavailable, because the id_token already identifies the user. */
async function fetchUserInfo(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
  subject: string,
  log: AuthLog,
): Promise<Partial<UserInfoResponse>> {
  if (metadataOf(configuration).userinfo_endpoint === undefined) return {}
  const client = await import('openid-client')
  try {
    return await client.fetchUserInfo(configuration, accessToken, subject)
  } catch (cause) {
    if (isUnavailable(cause)) {
      log.warn(
        { err: cause, provider: provider.id, ...failureOf(cause) },
        'The provider gave no user info: the sign-in goes on with the claims of the id_token.',
      )
      return {}
    }
    throw providerError(provider.id, NOT_VERIFIED, { cause })
  }
}

/**
 * Whether the user info is unavailable: an error status (such as a 403 for an access token of another
 * API), a timeout or a network error. An invalid response with status 200 is an error, and redirects
 * are not followed.
 */
function isUnavailable(error: unknown): boolean {
  const status = statusOf(error)
  if (status !== undefined) return status >= 400
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return true
  // The error of fetch when there is no response, or its body is cut off.
  return error instanceof TypeError && code === undefined && cause instanceof Error
}

/** The id_token takes precedence. `email_verified` comes from a source with the same address. */
function merge(
  idToken: Record<string, unknown>,
  userInfo: Record<string, unknown>,
): Record<string, unknown> {
  const given = Object.entries(idToken).filter(([, value]) => value !== null && value !== '')
  const merged: Record<string, unknown> = { ...userInfo, ...Object.fromEntries(given) }
  if (idToken.email === userInfo.email) return merged
  const { email, email_verified } = isText(idToken.email) ? idToken : userInfo
  return { ...merged, email, email_verified }
}

function identityOf(
  provider: OAuthProvider,
  issuer: string,
  claims: Record<string, unknown>,
  roles: ProviderIdentity['roles'],
): ProviderIdentity {
  if (typeof claims.sub !== 'string') {
    const reason = `The provider sent no user id in ${provider.userInfoFields.subject}.`
    const cause = new ProviderAnswerError('subject-unusable', reason)
    throw providerError(provider.id, NOT_IDENTIFIED, { cause })
  }
  const subject = encodeSubject(claims.sub, provider.id)
  const sid = claims.sid
  const email = firstText(320, claims.email)
  const emailVerified = email === undefined ? undefined : verdictOf(claims.email_verified)
  const profile = {
    displayName: firstText(255, claims.name, claims.preferred_username, claims.nickname),
    email,
    emailVerified,
    imageUrl: webUrl(firstText(2048, claims.picture)),
  }
  return {
    issuer,
    subject,
    ...(typeof sid === 'string' &&
      sid !== '' &&
      sid.length <= MAX_SUBJECT && { sid: escapeForStore(sid) }),
    claims: { ...claims, sub: subject, email_verified: emailVerified },
    ...(roles && { roles }),
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
 * Encodes a subject for storage and comparison. Postgres rejects NUL and lone surrogates, so these
 * and the backslash are escaped as `\uXXXX`. The encoding is injective, and other subjects are
 * unchanged.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when it is empty or longer than 255 UTF-16 units (OpenID
 * Connect Core section 2 allows 255 ASCII characters).
 */
export function encodeSubject(raw: string, providerId?: string): string {
  if (raw === '' || raw.length > MAX_SUBJECT) {
    const reason = 'The provider sent a user id that is empty or longer than 255 characters.'
    throw new AuthError('AUTH_PROVIDER_ERROR', NOT_IDENTIFIED, {
      cause: new ProviderAnswerError('subject-unusable', reason),
      data: { reason: NOT_IDENTIFIED, ...(providerId !== undefined && { providerId }) },
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
