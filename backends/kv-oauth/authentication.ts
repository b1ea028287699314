import { AuthError, type InteractiveFlowPort } from '@netscript/plugin-auth-core'
import { cleanText } from './claims.js'
import { CLOCK_TOLERANCE_SECONDS } from './configuration.js'
import type { OAuthProvider } from './provider.js'
import { ProviderAnswerError } from './provider-failure.js'

const TOLERANCE_MS = CLOCK_TOLERANCE_SECONDS * 1000
const MAX_ACR = 255

/** When and how the provider authenticated a user, as its id_token says. */
export interface Authentication {
  /** Milliseconds since the epoch, never in the future. */
  readonly authTime?: number
  readonly acr?: string
}

/** What a sign-in requires of the authentication; stored in its transaction. */
export interface RequiredAuthentication {
  /** In seconds. */
  maxAge?: number
  acrValues?: readonly string[]
  /** When the sign-in started. */
  startedAt: number
}

/**
 * What the caller requires; `undefined` for nothing.
 *
 * @throws AuthError `VALIDATION_ERROR` at a provider that cannot do it.
 */
export function requiredAuthentication(
  provider: OAuthProvider,
  { maxAge, acrValues }: Pick<Parameters<InteractiveFlowPort['signIn']>[1], 'maxAge' | 'acrValues'>,
  startedAt: number,
): RequiredAuthentication | undefined {
  const asksForAcr = acrValues !== undefined && acrValues.length > 0
  if (maxAge === undefined && !asksForAcr) return undefined
  if (!provider.stepUp) {
    const problem = [`is not supported by the provider ${provider.id}`]
    throw new AuthError(
      'VALIDATION_ERROR',
      `The provider ${provider.id} does not verify when and how a user authenticated. Leave out maxAge and acrValues.`,
      {
        data: {
          formErrors: [],
          fieldErrors: { maxAge: problem, ...(asksForAcr && { acrValues: problem }) },
        },
      },
    )
  }
  return {
    startedAt,
    ...(maxAge !== undefined && { maxAge }),
    ...(asksForAcr && { acrValues }),
  }
}

/** Reads `auth_time` and `acr` of a verified id_token; leaves out what is not usable. */
export function readAuthentication(
  claims: Readonly<Record<string, unknown>> | undefined,
  now: number,
): Authentication {
  const { auth_time: authTime, acr } = claims ?? {}
  const isPast = isAuthTime(authTime) && authTime * 1000 <= now + TOLERANCE_MS
  const isClass =
    typeof acr === 'string' && acr !== '' && acr.length <= MAX_ACR && acr === cleanText(acr)
  return {
    ...(isPast && { authTime: Math.min(Math.floor(authTime) * 1000, now) }),
    ...(isClass && { acr }),
  }
}

/** Whether a failed code exchange had an `auth_time` that is not a time. */
export function hasUnusableAuthTime(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    const { claims } = (one.cause ?? {}) as { claims?: { auth_time?: unknown } }
    if (claims?.auth_time !== undefined && !isAuthTime(claims.auth_time)) return true
  }
  return false
}

const isAuthTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

/**
 * Checks the authentication. It may be older than `maxAge` by the time that the user spent on the
 * pages of the provider after it, so one during this sign-in always counts.
 *
 * @throws AuthError `AUTH_STEP_UP_FAILED`
 */
export function assertAuthenticated(
  required: RequiredAuthentication | undefined,
  { authTime, acr }: Authentication,
  now: number,
): void {
  const { maxAge, acrValues, startedAt } = required ?? { startedAt: now }
  if (maxAge !== undefined) {
    if (authTime === undefined) throw stepUpFailed('auth-time-missing')
    const oldest = Math.min(startedAt, now - maxAge * 1000)
    if (authTime < oldest - TOLERANCE_MS) throw stepUpFailed('auth-time-too-old')
  }
  if (acrValues && (acr === undefined || !acrValues.includes(acr))) {
    throw stepUpFailed(acr === undefined ? 'acr-missing' : 'acr-not-requested')
  }
}

const CANNOT =
  'The provider does not say when it asked you to sign in. Trying again does not help: tell the operator of this service.'
const WEAKER =
  'This needs a stronger sign-in than the one at the provider, such as one with a second factor. Set it up there, then start again.'

/** The causes of a failed step-up: for the log, and what the user can do. */
const CAUSES = {
  'auth-time-missing': [
    'The id_token has no usable auth_time, although max_age was sent. If the provider does not support max_age, set stepUp to false.',
    CANNOT,
  ],
  'auth-time-malformed': ['The auth_time of the id_token is not a time.', CANNOT],
  'auth-time-too-old': [
    'The provider did not authenticate the user again, although max_age was sent.',
    'The provider did not ask you to sign in again. Sign out there, or use a private window, then start again.',
  ],
  'acr-missing': ['The id_token has no usable acr, although acr_values was sent.', WEAKER],
  'acr-not-requested': ['The acr of the id_token is none of acr_values.', WEAKER],
  'provider-error': ['The provider refused to authenticate the user as requested.', WEAKER],
} as const

/** Creates an `AUTH_STEP_UP_FAILED`. */
export function stepUpFailed(failure: keyof typeof CAUSES, options?: ErrorOptions): AuthError {
  const [message, detail] = CAUSES[failure]
  return new AuthError('AUTH_STEP_UP_FAILED', detail, {
    cause: new ProviderAnswerError(failure, message, options),
  })
}
