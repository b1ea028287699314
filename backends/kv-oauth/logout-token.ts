import type { Configuration } from 'openid-client'
import { z } from 'zod'
import { AuthError } from '@netscript/plugin-auth-core'
import { CLOCK_TOLERANCE_SECONDS, metadataOf } from './configuration.js'
import { isIssuer } from './issuer.js'
import type { OAuthProvider } from './provider.js'
import { keysUnavailable, providerKeys, signingAlgorithms } from './provider-keys.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Accepted `typ` values. Explicit typing is only recommended (section 2.4). Many providers, and the
 * conformance suite of the OpenID Foundation, send `JWT` or none; the event and the missing nonce then
 * distinguish a logout token (section 4.1).
 */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'logout+jwt']

/**
 * Maximum age. Section 2.4 recommends a lifetime of two minutes, but providers may retry for longer.
 * Early drafts had no `exp` and some providers still omit it, so `iat` bounds the age.
 */
const MAX_AGE_SECONDS = 10 * 60
const MAX_LIFETIME_SECONDS = 60 * 60

/** At most 255 characters (OpenID Connect Core section 2); no session has a longer identifier. */
const identifier = z.string().min(1).max(255)

/** Some providers send `null` for absent claims. */
const absentWhenNull = identifier.nullish().transform((value) => value ?? undefined)

const LogoutClaims = z.object({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  azp: z.string().optional(),
  iat: z.number(),
  exp: z.number().optional(),
  jti: identifier,
  sub: absentWhenNull,
  sid: absentWhenNull,
  events: z.object({ [EVENT]: z.record(z.string(), z.unknown()) }),
})

/** A verified logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export interface LogoutToken {
  readonly issuer: string
  readonly jti: string
  readonly subject?: string
  readonly sid?: string
  /** When the token can no longer be accepted, in milliseconds since the epoch, clock skew included. */
  readonly unusableAt: number
}

/** Creates a `LOGOUT_TOKEN_INVALID`. The reason is only in `cause`, for the log. */
export function invalidLogoutToken(cause: unknown): AuthError {
  return new AuthError(
    'LOGOUT_TOKEN_INVALID',
    'Send a logout token as OpenID Connect Back-Channel Logout 1.0 describes it, once.',
    { cause: typeof cause === 'string' ? new Error(cause) : cause },
  )
}

/** Reads issuer and audiences of a token without verifying it. */
export async function readLogoutToken(
  token: string,
): Promise<{ issuer: string; audiences: readonly unknown[] }> {
  const { decodeJwt } = await import('jose')
  try {
    const { iss, aud } = decodeJwt(token)
    if (typeof iss !== 'string') throw new Error('The token has no issuer.')
    return { issuer: iss, audiences: [aud].flat() }
  } catch (cause) {
    throw invalidLogoutToken(cause)
  }
}

/**
 * Verifies a logout token (section 2.6), except for the replay of its `jti`.
 *
 * @param now The current time, in milliseconds since the epoch.
 * @throws AuthError `LOGOUT_TOKEN_INVALID`; `AUTH_PROVIDER_ERROR` when the keys are unavailable.
 */
export async function verifyLogoutToken(
  provider: OAuthProvider,
  configuration: Configuration,
  { token, issuer, now }: { token: string; issuer: string; now: number },
): Promise<LogoutToken> {
  const { errors, jwtVerify } = await import('jose')
  const server = metadataOf(configuration)
  const keys = await providerKeys(provider, configuration)
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    algorithms: signingAlgorithms(server),
    issuer: isIssuer(server.issuer, issuer) ? issuer : server.issuer,
    audience: provider.clientId,
    maxTokenAge: MAX_AGE_SECONDS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(now),
  }).catch((cause: unknown) => {
    if (cause instanceof AuthError) throw cause
    if (cause instanceof errors.JOSEError) throw invalidLogoutToken(cause)
    // Not the token but the key of the provider is unusable, such as one that is too short.
    throw keysUnavailable(provider, cause)
  })
  if (!TYPES.includes(mediaType(protectedHeader.typ))) {
    throw invalidLogoutToken('It is a token of another type.')
  }
  if ('nonce' in payload) throw invalidLogoutToken('It has a nonce, as id_tokens have.')
  const parsed = LogoutClaims.safeParse(payload)
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path }) => path.join(' '))
    throw invalidLogoutToken(`These claims are wrong: ${wrong.join(', ')}.`)
  }
  return accepted(provider, parsed.data, now)
}

function accepted(
  { clientId }: OAuthProvider,
  { iss, aud, azp, iat, exp = iat + MAX_AGE_SECONDS, jti, sub, sid }: z.infer<typeof LogoutClaims>,
  now: number,
): LogoutToken {
  // Same rule as for id_tokens (OpenID Connect Core section 3.1.3.7): no other audience is trusted.
  if ([aud].flat().length > 1 && azp !== clientId) throw invalidLogoutToken('It is for others too.')
  if (exp > now / 1000 + MAX_LIFETIME_SECONDS) throw invalidLogoutToken('It lives too long.')
  if (sub === undefined && sid === undefined) throw invalidLogoutToken('It has no sub and no sid.')
  return {
    issuer: iss,
    jti,
    ...(sub !== undefined && { subject: sub }),
    ...(sid !== undefined && { sid }),
    unusableAt: (exp + 2 * CLOCK_TOLERANCE_SECONDS) * 1000,
  }
}

/** Normalizes `typ`: case-insensitive, with an optional `application/` (RFC 7515 section 4.1.9). */
const mediaType = (typ: unknown): unknown =>
  typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
