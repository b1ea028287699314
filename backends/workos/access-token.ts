import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import { createRemoteKeys } from '@netscript/plugin-auth-core/internal'
import { workosUnavailable } from './client.js'
import type { WorkosSettings } from './options.js'

const strings = z.array(z.string()).default([]).catch([])
const text = z.string().optional().catch(undefined)
/** In seconds since the epoch. */
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

/** The result of verifying an access token; `code` is the reason, for the log. */
type AccessTokenCheck =
  | { readonly status: 'valid' | 'expired'; readonly claims: AccessTokenClaims }
  | { readonly status: 'invalid'; readonly code: string }

/** Verifies access tokens with the key set of the client. */
export interface AccessTokenVerifier {
  /**
   * Verifies a token. With `sealed`, the token comes from a cookie sealed with our password, which
   * authenticates it: an expired token is then accepted as expired even if its signing key has been
   * retired, so that the session can be refreshed.
   * @throws AuthError `STORE_UNAVAILABLE` when the keys are unavailable.
   */
  verify(token: string, options?: { sealed?: boolean }): Promise<AccessTokenCheck>
  /** Resolves when the keys can be fetched. A success is cached for five seconds. */
  probe(): Promise<void>
}

/** Errors that make a token invalid. Any other error means that it could not be verified. */
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
        // jose checks signature and issuer before the expiry.
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
 * Whether the token was issued for this client. Each client has its own key set, so the signature
 * already binds it. `client_id` and `aud`, which some environments omit, must match if present.
 */
function isForClient(payload: JWTPayload, settings: WorkosSettings): boolean {
  const { aud, client_id: clientId } = payload
  if (clientId !== undefined && clientId !== settings.clientId) return false
  if (aud === undefined) return !settings.requireAudience
  const audiences = typeof aud === 'string' ? [aud] : aud
  return audiences.some((audience) => settings.audiences.includes(audience))
}
