import type { Configuration } from 'openid-client'
import { z } from 'zod'
import { AuthError } from '@netscript/plugin-auth-core'
import { CLOCK_TOLERANCE_SECONDS } from './configuration.js'
import { isIssuer } from './issuer.js'
import type { OAuthProvider } from './provider.js'
import { keysUnavailable, providerKeys, signingAlgorithms } from './provider-keys.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Section 2.4 only recommends explicit typing, and many providers, the conformance suite of the
 * OpenID Foundation among them, send `JWT` or nothing: what tells their tokens from others is the
 * event and the missing nonce (section 4.1).
 */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'logout+jwt']

/**
 * Section 2.4 recommends two minutes; providers that repeat a request may take longer. Drafts before
 * the final specification had no `exp`, and some providers still send none: `iat` bounds the age.
 */
const MAX_AGE_SECONDS = 10 * 60
const MAX_LIFETIME_SECONDS = 60 * 60

/** OpenID Connect Core section 2 bounds a subject; longer identifiers are stored with no session. */
const identifier = z.string().min(1).max(255)

/** Some serializers write what they do not have as `null`. */
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

/** What a logout token says (OpenID Connect Back-Channel Logout 1.0 section 2.4). */
export interface LogoutToken {
  readonly issuer: string
  readonly jti: string
  readonly subject?: string
  readonly sid?: string
  /** When it can no longer be used, in milliseconds since the epoch, clocks that differ included. */
  readonly unusableAt: number
}

/** `LOGOUT_TOKEN_INVALID`. The caller learns no more than that; `cause` is for the log. */
export function invalidLogoutToken(cause: unknown): AuthError {
  return new AuthError(
    'LOGOUT_TOKEN_INVALID',
    'Send a logout token as OpenID Connect Back-Channel Logout 1.0 describes it, once.',
    { cause: typeof cause === 'string' ? new Error(cause) : cause },
  )
}

/** Who a token claims to be from and for; nothing of it is verified. */
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
 * Validates a logout token to the letter of section 2.6, but for the replay of its `jti`.
 *
 * @param now The clock, in milliseconds since the epoch.
 * @throws AuthError `LOGOUT_TOKEN_INVALID`; `AUTH_PROVIDER_ERROR` when the keys cannot be had.
 */
export async function verifyLogoutToken(
  provider: OAuthProvider,
  configuration: Configuration,
  { token, issuer, now }: { token: string; issuer: string; now: number },
): Promise<LogoutToken> {
  const { errors, jwtVerify } = await import('jose')
  const server = configuration.serverMetadata()
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
    // It is not the token that is wrong but the key it was to be verified with, such as a short one.
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
  // As in id_tokens (OpenID Connect Core section 3.1.3.7): no other audience is trusted.
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

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not count. */
const mediaType = (typ: unknown): unknown =>
  typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
