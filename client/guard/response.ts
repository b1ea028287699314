import type { ForbiddenData, Principal, Problem, RecentAuth } from '@netscript/auth-contract'
import { parseRecentAuth, problemOf } from '@netscript/auth-contract/internal'
import type { Authentication, GuardUnavailableError } from './authenticator.js'

/** A refused request: a problem document (RFC 9457) and its headers. */
export interface Refusal {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

/** The response of a refused request. */
export function responseOf({ problem, headers }: Refusal) {
  return {
    status: problem.status,
    headers: { ...headers, 'Content-Type': 'application/problem+json; charset=utf-8' },
    body: JSON.stringify(problem),
  }
}

/** 401: no credential, or one that is invalid, expired or revoked. */
export function unauthorized(
  { reason }: Pick<Extract<Authentication, { ok: false }>, 'reason'>,
  { realm, bearer }: { realm: string | undefined; bearer: boolean },
): Refusal {
  const isInvalid = reason === 'credential-invalid'
  return {
    problem: problemOf(
      'UNAUTHORIZED',
      isInvalid
        ? 'The session has ended or the token is not valid. Sign in again.'
        : 'Sign in and send the request again.',
    ),
    headers: {
      ...(realm !== undefined &&
        challenge(realm, isInvalid && bearer ? { error: 'invalid_token' } : {})),
    },
  }
}

/** 403: the caller is authenticated but not allowed. */
export function forbidden(
  { missingScopes = [], missingRoles = [] }: Partial<ForbiddenData>,
  { realm, principal }: { realm: string | undefined; principal: Principal },
): Refusal {
  const lacks = [named('scope', missingScopes), named('role', missingRoles)]
  const detail = lacks.filter(Boolean).join(' and ')
  return {
    problem: problemOf(
      'FORBIDDEN',
      detail ? `This needs the ${detail}, which you do not have.` : 'No rule lets you do this.',
      { missingScopes, missingRoles },
    ),
    headers: {
      ...(realm !== undefined &&
        principal.scheme === 'bearer' &&
        challenge(realm, {
          error: 'insufficient_scope',
          ...(missingScopes.length > 0 && { scope: missingScopes.join(' ') }),
        })),
    },
  }
}

/** 401: the caller must authenticate again at the provider (RFC 9470 section 3). */
export function recentAuthRequired(
  requirement: RecentAuth,
  { realm, principal }: { realm: string | undefined; principal: Principal },
): Refusal {
  const required = parseRecentAuth('recentAuth', requirement)
  const { providerId } = principal.claims
  return {
    problem: problemOf(
      'AUTH_RECENT_SIGN_IN_REQUIRED',
      'Sign in again with POST /signin and the body in data.signin, then repeat the request.',
      {
        ...toData(required),
        signin: { ...(typeof providerId === 'string' && { providerId }), ...toData(required) },
      },
    ),
    headers: challenge(realm, {
      error: 'insufficient_user_authentication',
      max_age: String(required.maxAge),
      ...(required.acrValues && { acr_values: required.acrValues.join(' ') }),
    }),
  }
}

const toData = ({ maxAge, acrValues }: ReturnType<typeof parseRecentAuth>) => ({
  maxAge,
  ...(acrValues && { acrValues: [...acrValues] }),
})

/** 503: the caller cannot be authenticated during an outage. */
export function unavailable({ retryAfterSeconds }: GuardUnavailableError): Refusal {
  return {
    problem: problemOf(
      'AUTH_UNAVAILABLE',
      'The caller cannot be authenticated right now. Try again in a few seconds.',
    ),
    headers: { 'Retry-After': String(retryAfterSeconds) },
  }
}

function named(what: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${what}${names.length > 1 ? 's' : ''} ${names.map((name) => `"${name}"`).join(', ')}`
}

/** A challenge has the scheme and at least one parameter (RFC 6750 section 3). */
function challenge(
  realm: string | undefined,
  parameters: Readonly<Partial<Record<'error' | 'scope' | 'max_age' | 'acr_values', string>>>,
): Record<string, string> {
  const quoted = Object.entries({ ...(realm !== undefined && { realm }), ...parameters }).map(
    ([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, '')}"`,
  )
  return { 'WWW-Authenticate': `Bearer ${quoted.join(', ')}` }
}

/** Headers of every response that depends on the caller. A handler may override `Cache-Control`. */
export const PRIVATE = { vary: ['Cookie', 'Authorization'], cacheControl: 'no-store' } as const

/** Puts what an authentication adds on a response; safe to repeat. */
export function passOn(response: Response, setCookies: readonly string[]): Response {
  try {
    addTo(response.headers, setCookies)
    return response
  } catch (error) {
    // The headers of a fetched or redirecting response are immutable.
    if (!(error instanceof TypeError)) throw error
    const copy = new Response(response.body, response)
    addTo(copy.headers, setCookies)
    return copy
  }
}

/** A handler may override `Cache-Control`, and cookies of the same name. */
export function addTo(headers: Headers, setCookies: readonly string[]): void {
  const varied = (headers.get('vary') ?? '').toLowerCase().split(/\s*,\s*/)
  for (const field of PRIVATE.vary) {
    if (!varied.includes(field.toLowerCase())) headers.append('Vary', field)
  }
  if (!headers.has('cache-control')) headers.set('Cache-Control', PRIVATE.cacheControl)
  const own = headers.getSetCookie()
  const passed = setCookies.filter((cookie) => !own.includes(cookie))
  if (passed.length === 0) return
  // Those of the handler come last: a browser keeps the last of a name, such as that of a sign-out.
  headers.delete('set-cookie')
  for (const cookie of [...passed, ...own]) headers.append('Set-Cookie', cookie)
}

/** A `Cookie` header as a browser sends it once it has stored the values of `Set-Cookie`. */
export function updatedCookies(cookie: string, setCookies: readonly string[]): string {
  const pairs = new Map<string, string>()
  const pairsOf = (header: string) => header.split(';').map((pair) => pair.trim())
  for (const pair of pairsOf(cookie)) pairs.set(nameOf(pair), pair)
  for (const setCookie of setCookies) {
    const [pair = '', ...attributes] = pairsOf(setCookie)
    if (isExpired(attributes)) pairs.delete(nameOf(pair))
    else pairs.set(nameOf(pair), pair)
  }
  return [...pairs.values()].filter(Boolean).join('; ')
}

const nameOf = (pair: string): string => pair.split('=', 1)[0]?.trim() ?? ''

/** `Max-Age` takes precedence over `Expires` (RFC 6265 section 5.3). */
function isExpired(attributes: readonly string[]): boolean {
  const read = (name: string): string | undefined =>
    attributes.findLast((one) => nameOf(one).toLowerCase() === name)?.slice(name.length + 1)
  const maxAge = read('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge.trim())) return Number(maxAge) <= 0
  return Date.parse(read('expires') ?? '') <= Date.now()
}
