import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import type { Fetch } from '@netscript/auth-client'
import { discoveryContractV1 } from '@netscript/auth-contract'
import {
  authenticated,
  type Authentication,
  type Authenticator,
  GuardUnavailableError,
  headerOf,
  type Principal,
} from './authenticator.js'

/** Options of {@link createTokenAuthenticator}. */
export interface TokenAuthenticatorOptions {
  /** The issuer of the tokens: the origin of the service, such as `https://auth.example.com`. */
  issuer: string
  /** This service's entry in `NETSCRIPT_AUTH_TOKEN_AUDIENCES` of the authentication service. */
  audience: string
  /** URL of the issuer's key set. @default `/.well-known/jwks.json` at the issuer */
  jwksUrl?: string
  /** Allowed clock skew, in seconds. @default 5 */
  clockToleranceSeconds?: number
  /** Time limit for fetching the keys, in milliseconds. @default 2000 */
  timeoutMs?: number
  /** @default globalThis.fetch */
  fetch?: Fetch
}

/** An authenticator that can also verify a bare token. */
export interface TokenAuthenticator extends Authenticator {
  /**
   * Verifies a token that did not arrive in an `Authorization` header, such as in a WebSocket message.
   * @throws GuardUnavailableError when the keys are unavailable.
   */
  verifyToken(token: string): Promise<Authentication>
}

/** The claims that this authenticator checks in addition to jose. */
interface TokenClaims extends JWTPayload {
  sub: string
  scope: string
  roles: string[]
  sid: string
}

/**
 * Creates an authenticator that verifies bearer tokens of `POST /api/v1/auth/token` offline. Issuer,
 * audience, type and algorithm are pinned (RFC 9068 section 4). Keys are cached and fetched again
 * for an unknown key id. A token outlives its session by at most five minutes.
 *
 * @throws TypeError when `issuer` or `jwksUrl` is not a URL.
 *
 * @example
 * ```ts
 * const authenticator = createTokenAuthenticator({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 * })
 * ```
 */
export function createTokenAuthenticator(options: TokenAuthenticatorOptions): TokenAuthenticator {
  const { audience, clockToleranceSeconds = 5 } = options
  // The `iss` claim is an origin, without a trailing slash.
  const issuer = options.issuer.replace(/\/+$/, '')
  const keys = remoteKeys(options)

  async function verifyToken(token: string): Promise<Authentication> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['ES256'],
        typ: 'at+jwt',
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp'],
      })
      return hasClaims(payload) ? authenticated(toPrincipal(payload)) : INVALID
    } catch (error) {
      if (error instanceof errors.JOSEError) return INVALID
      throw error
    }
  }

  return {
    realm: audience,
    verifyToken,
    async authenticate(request) {
      const authorization = headerOf(request, 'authorization')
      if (authorization === undefined || !/^Bearer(\s|$)/i.test(authorization)) {
        return { ok: false, reason: 'credential-missing', setCookies: [] }
      }
      return verifyToken(authorization.slice('Bearer'.length).trim())
    },
  }
}

const INVALID: Authentication = { ok: false, reason: 'credential-invalid', setCookies: [] }

/** Pause after a failed fetch of the keys, so that requests do not hammer a failing issuer. */
const BACK_OFF_MS = 1000

/**
 * The keys of the issuer. An unknown key id triggers a fetch at most every 30 seconds (jose's
 * default cooldown). Cached keys stay usable for ten minutes (`cacheMaxAge` of jose) while the issuer
 * is down.
 */
function remoteKeys({
  issuer,
  jwksUrl = new URL(discoveryContractV1.jwks.path, issuer).href,
  timeoutMs = 2_000,
  fetch = (input, init) => globalThis.fetch(input, init),
}: TokenAuthenticatorOptions): JWTVerifyGetKey {
  let failure: { readonly cause: unknown; readonly until: number } | undefined
  const remote = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: timeoutMs,
    [customFetch]: async (url, init) => {
      if (failure && Date.now() < failure.until) throw failure.cause
      return fetch(url, init)
    },
  })
  return async (...token) => {
    try {
      return await remote(...token)
    } catch (cause) {
      const { JWKSNoMatchingKey, JWKSMultipleMatchingKeys } = errors
      if (cause instanceof JWKSNoMatchingKey || cause instanceof JWKSMultipleMatchingKeys)
        throw cause
      if (cause !== failure?.cause) failure = { cause, until: Date.now() + BACK_OFF_MS }
      throw new GuardUnavailableError('The keys of the issuer are unavailable.', { cause })
    }
  }
}

function hasClaims(payload: JWTPayload): payload is TokenClaims {
  const { sub, scope, roles, sid } = payload
  const isText = (value: unknown): value is string => typeof value === 'string'
  return (
    isText(sub) &&
    sub !== '' &&
    isText(scope) &&
    isText(sid) &&
    Array.isArray(roles) &&
    roles.every(isText)
  )
}

function toPrincipal({ sub, scope, roles, sid, auth_time, acr }: TokenClaims): Principal {
  return {
    subject: sub,
    scopes: scope.split(' ').filter(Boolean),
    roles,
    scheme: 'bearer',
    claims: {
      sessionId: sid,
      ...(typeof auth_time === 'number' && { auth_time }),
      ...(typeof acr === 'string' && { acr }),
    },
  }
}
