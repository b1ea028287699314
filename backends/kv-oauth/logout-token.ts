import type { Configuration, ServerMetadata } from 'openid-client'
import { z } from 'zod'
import { AuthError, providerError } from '@netscript/plugin-auth-core'
import { CLOCK_TOLERANCE_SECONDS, metadataOf } from './configuration.js'
import { isIssuer, SIGNING_ALGORITHMS } from './provider-metadata.js'
import type { OAuthProvider } from './provider.js'
import type { CryptoKey, JWTVerifyGetKey } from 'jose'
import { createProviderFetch } from './provider-fetch.js'

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
interface LogoutToken {
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

/** Minimum time between fetches for unknown key ids, which any caller can send. */
const COOLDOWN_MS = 30_000
const TIMEOUT_MS = 5000

/** The asymmetric algorithms with which the provider signs id_tokens. @default RS256 */
function signingAlgorithms(server: Readonly<ServerMetadata>): string[] {
  const listed: unknown = server.id_token_signing_alg_values_supported
  const usable = [listed].flat().filter((alg) => SIGNING_ALGORITHMS.has(alg))
  return usable.length > 0 ? (usable as string[]) : ['RS256']
}

const keySets = new WeakMap<Configuration, JWTVerifyGetKey>()

/**
 * The keys at the provider's `jwks_uri`, for `jwtVerify`. They are cached as long as the metadata, at
 * most ten minutes, and fetched again for an unknown key id.
 *
 * @throws AuthError `AUTH_PROVIDER_ERROR`, also from the returned function, when the keys are
 * unavailable. A token without a matching key is an error of jose.
 */
export async function providerKeys(
  provider: OAuthProvider,
  configuration: Configuration,
): Promise<JWTVerifyGetKey> {
  const known = keySets.get(configuration)
  if (known) return known
  const [jose, client, { createRemoteKeys }] = await Promise.all([
    import('jose'),
    import('openid-client'),
    import('@netscript/plugin-auth-core/internal'),
  ])
  const { jwks_uri: uri } = metadataOf(configuration)
  if (uri === undefined || !URL.canParse(uri)) {
    throw keysUnavailable(provider, new Error('The metadata names no jwks_uri.'))
  }
  const fetch = configuration[client.customFetch] ?? createProviderFetch(provider)
  const remote = createRemoteKeys(new URL(uri), {
    cooldownMs: COOLDOWN_MS,
    timeoutMs: TIMEOUT_MS,
    fetch: (url, { headers, ...init }) =>
      fetch(url, { ...init, headers: Object.fromEntries(headers), body: undefined }),
  })
  const keys = async (...given: Parameters<JWTVerifyGetKey>): Promise<CryptoKey> => {
    try {
      return await remote.keys(...given)
    } catch (cause) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys } = jose.errors
      if (cause instanceof JWKSNoMatchingKey || cause instanceof JWKSMultipleMatchingKeys) {
        throw cause
      }
      throw keysUnavailable(provider, cause)
    }
  }
  keySets.set(configuration, keys)
  return keys
}

/** Creates an `AUTH_PROVIDER_ERROR`: the token could not be verified and may be sent again. */
function keysUnavailable(provider: OAuthProvider, cause: unknown): AuthError {
  return providerError(
    provider.id,
    'The keys of the provider are unavailable. Send the token again in a moment.',
    { cause },
  )
}
