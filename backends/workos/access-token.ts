import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import { createRemoteKeys } from '@netscript/plugin-auth-core/internal'
import { workosUnavailable } from './client.js'
import type { WorkosSettings } from './options.js'

const strings = z.array(z.string()).default([]).catch([])
const text = z.string().optional().catch(undefined)
/** Seconds since the epoch. */
const instant = z.number()

const AccessTokenClaims = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  iat: instant,
  exp: instant,
  org_id: text,
  role: text,
  roles: strings,
  permissions: strings,
  entitlements: strings,
  feature_flags: strings,
  act: z.unknown().optional(),
})

/** The claims of a WorkOS access token that this backend reads. */
export type AccessTokenClaims = z.infer<typeof AccessTokenClaims>

/** What checking an access token found; `code` says why, for the log. */
export type AccessTokenCheck =
  | { readonly status: 'valid' | 'expired'; readonly claims: AccessTokenClaims }
  | { readonly status: 'invalid'; readonly code: string }

/** Checks access tokens against the key set of the client. */
export interface AccessTokenVerifier {
  /**
   * `sealed` says that the token came out of a cookie sealed by us, which vouches for it: once it
   * has expired, it may also be of a key that WorkOS has since retired.
   * @throws AuthError `STORE_UNAVAILABLE` when the keys cannot be had.
   */
  verify(token: string, options?: { sealed?: boolean }): Promise<AccessTokenCheck>
  /** Resolves when the keys can be had; a good answer counts for five seconds. */
  probe(): Promise<void>
}

/** The errors that condemn the token; any other means that it could not be checked. */
const CONDEMNING = [
  errors.JWTInvalid,
  errors.JWTClaimValidationFailed,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWKSMultipleMatchingKeys,
]

const PROBE_COUNTS_MS = 5000

export function createAccessTokenVerifier(settings: WorkosSettings): AccessTokenVerifier {
  const url = new URL(`/sso/jwks/${settings.clientId}`, settings.apiUrl)
  const { keys, reload } = createRemoteKeys(url, {
    timeoutMs: settings.jwksTimeoutMs,
    cooldownMs: settings.jwksCooldownMs,
  })
  let reachedAt = 0

  return {
    async verify(token, { sealed = false } = {}) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms: ['RS256'],
          issuer: [...settings.issuers],
        })
        return accept(payload, 'valid', settings)
      } catch (error) {
        // Issuer and signature are checked before the expiry.
        if (error instanceof errors.JWTExpired) return accept(error.payload, 'expired', settings)
        if (!CONDEMNING.some((kind) => error instanceof kind)) throw workosUnavailable(error)
        if (sealed && error instanceof errors.JWKSNoMatchingKey) {
          const payload = decodeJwt(token)
          if (hasEnded(payload)) return accept(payload, 'expired', settings)
        }
        return { status: 'invalid', code: (error as errors.JOSEError).code }
      }
    },
    async probe() {
      if (Date.now() - reachedAt < PROBE_COUNTS_MS) return
      await reload().catch((error: unknown) => {
        throw workosUnavailable(error)
      })
      reachedAt = Date.now()
    },
  }
}

const hasEnded = ({ exp }: JWTPayload): boolean => exp !== undefined && exp * 1000 <= Date.now()

function accept(
  payload: JWTPayload,
  status: 'valid' | 'expired',
  settings: WorkosSettings,
): AccessTokenCheck {
  if (!isForClient(payload, settings)) return { status: 'invalid', code: 'WRONG_CLIENT' }
  const claims = AccessTokenClaims.safeParse(payload)
  return claims.success
    ? { status, claims: claims.data }
    : { status: 'invalid', code: 'NOT_A_SESSION_TOKEN' }
}

/**
 * Whether the token was issued for our client. Every client has a key set of its own, so the
 * signature binds it; `client_id` and `aud`, which not all environments send, must not disagree.
 */
function isForClient(payload: JWTPayload, settings: WorkosSettings): boolean {
  const { aud, client_id: clientId } = payload
  if (clientId !== undefined && clientId !== settings.clientId) return false
  if (aud === undefined) return !settings.requireAudience
  const audiences = typeof aud === 'string' ? [aud] : aud
  return audiences.some((audience) => settings.audiences.includes(audience))
}
