import type { Configuration } from 'openid-client'
import { providerError } from '@netscript/plugin-auth-core'
import { isPlainObject } from '@netscript/plugin-auth-core/internal'
import { verdictOf } from './claims.js'
import type { OAuthProvider } from './provider.js'
import { NOT_IDENTIFIED, ProviderAnswerError } from './provider-failure.js'
import { claimAt } from './roles.js'

/**
 * Fetches the user info of a plain OAuth 2.0 provider and maps it to claims: the members in
 * `userInfoFields` become `sub`, `name`, `preferred_username`, `email`, `email_verified` and `picture`.
 * Other members are used only if the subject is `sub`, that is, if the response has standard claims.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when it cannot be read.
 */
export async function fetchUserClaims(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
): Promise<{ info: unknown; claims: Record<string, unknown> }> {
  const { userInfoFields: fields, userInfoEndpoint = '', emailsEndpoint } = provider
  const info = await fetchJson(provider, configuration, accessToken, userInfoEndpoint)
  const at = (path: string | undefined): unknown =>
    path === undefined ? undefined : claimAt(info, path)
  const subject = at(fields.subject)
  const fromList =
    emailsEndpoint === undefined
      ? undefined
      : await fetchEmail(provider, configuration, accessToken, emailsEndpoint)
  const claims = {
    ...(fields.subject === 'sub' && isPlainObject(info) ? info : {}),
    sub: isStableNumber(subject) ? String(subject) : subject,
    name: fields.displayName
      ?.map(at)
      .find((name) => typeof name === 'string' && name.trim() !== ''),
    preferred_username: at(fields.username),
    email: fromList?.email ?? at(fields.email),
    email_verified:
      fromList?.verified ?? (fields.emailVerified === true ? true : at(fields.emailVerified)),
    picture: fields.imageUrl?.includes('{') ? fill(fields.imageUrl, info) : at(fields.imageUrl),
    sid: undefined,
  }
  return { info, claims }
}

/** Unsafe integers lose precision in JSON, so that two users could get the same id. */
function isStableNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

/** The primary address, if it is verified. */
async function fetchEmail(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
  endpoint: string,
): Promise<{ email: string; verified: true } | undefined> {
  const list = await fetchJson(provider, configuration, accessToken, endpoint, [403, 404])
  const primary = (Array.isArray(list) ? (list as unknown[]) : []).find(
    (entry) => isPlainObject(entry) && verdictOf(entry.primary) && verdictOf(entry.verified),
  )
  return isPlainObject(primary) && typeof primary.email === 'string'
    ? { email: primary.email, verified: true }
    : undefined
}

/** Maximum number of pages of organizations, of 100 each. */
const MAX_PAGES = 10

/**
 * The names of the user's organizations at GitHub; those that hide the membership from the app are
 * missing. `undefined` when no rule needs them, or the user did not grant the scope.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR` when they cannot be read.
 */
export async function fetchOrganizations(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
): Promise<readonly string[] | undefined> {
  if (!provider.admission?.organizations) return undefined
  const names: string[] = []
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const url = new URL(provider.organizationsEndpoint ?? '')
    url.searchParams.set('per_page', '100')
    url.searchParams.set('page', String(page))
    const list = await fetchJson(provider, configuration, accessToken, url.href, [403, 404])
    if (!Array.isArray(list)) return page === 1 ? undefined : names
    for (const entry of list as unknown[]) {
      if (isPlainObject(entry) && typeof entry.login === 'string') names.push(entry.login)
    }
    if (list.length < 100) break
  }
  return names
}

/** Returns `undefined` for a status in `notGranted`. */
async function fetchJson(
  provider: OAuthProvider,
  configuration: Configuration,
  accessToken: string,
  url: string,
  notGranted: readonly number[] = [],
): Promise<unknown> {
  const client = await import('openid-client')
  try {
    const headers = new Headers({ accept: 'application/json' })
    const response = await client.fetchProtectedResource(
      configuration,
      accessToken,
      new URL(url),
      'GET',
      undefined,
      headers,
    )
    if (notGranted.includes(response.status)) return undefined
    const { status } = response
    if (status !== 200) {
      throw new ProviderAnswerError('unexpected-status', `The status is ${status}.`, { status })
    }
    return await response.json()
  } catch (cause) {
    throw providerError(provider.id, NOT_IDENTIFIED, { cause })
  }
}

/** Replaces the placeholders of a template; `undefined` if one has no text. */
function fill(template: string, info: unknown): string | undefined {
  const paths = [...template.matchAll(/\{([^}]+)\}/g)].map(([, path = '']) => path)
  const filled = paths.reduce<string | undefined>((url, path) => {
    const value = claimAt(info, path)
    return typeof value === 'string' && value !== ''
      ? url?.replace(`{${path}}`, () => encodeURIComponent(value))
      : undefined
  }, template)
  return filled
}
