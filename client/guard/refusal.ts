import {
  type ForbiddenData,
  type Principal,
  type Problem,
  problemOf,
} from '@netscript/auth-contract'
import type { Authentication, GuardUnavailableError } from './authenticator.js'

/** How a request is refused: a problem document (RFC 9457) and the headers that go with it. */
export interface Refusal {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
}

/** 401: there is no session, or no longer. */
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

/** 403: the caller is known and lacks something. */
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

/** 503: who is calling cannot be told. */
export function unavailable({ retryAfterSeconds }: GuardUnavailableError): Refusal {
  return {
    problem: problemOf('AUTH_UNAVAILABLE', 'Who is calling cannot be told now. Try again soon.'),
    headers: { 'Retry-After': String(retryAfterSeconds) },
  }
}

function named(what: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${what}${names.length > 1 ? 's' : ''} ${names.map((name) => `"${name}"`).join(', ')}`
}

/** RFC 6750 section 3: the scheme, and at least one parameter. */
function challenge(
  realm: string,
  parameters: { error?: string; scope?: string },
): Record<string, string> {
  const quoted = Object.entries({ realm, ...parameters }).map(
    ([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, '')}"`,
  )
  return { 'WWW-Authenticate': `Bearer ${quoted.join(', ')}` }
}
