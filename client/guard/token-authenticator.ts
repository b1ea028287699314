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
  /** The origin of the authentication service, as its tokens say it: `https://auth.example.com`. */
  issuer: string
  /** What this service is called in NETSCRIPT_AUTH_TOKEN_AUDIENCES there. */
  audience: string
  /** Where its keys are. Default: `/.well-known/jwks.json` at the issuer. */
  jwksUrl?: string
  /** How far the clocks of the two may differ, in seconds. Default: 5. */
  clockToleranceSeconds?: number
  /** How long fetching the keys may take, in milliseconds. Default: 2000. */
  timeoutMs?: number
  /** Default: the global fetch. */
  fetch?: Fetch
}

/** An authenticator that can also be given a token as it is. */
export interface TokenAuthenticator extends Authenticator {
  /**
   * Who a token says is calling, wherever it came from.
   * @throws GuardUnavailableError when the keys are unavailable.
   */
  verifyToken(token: string): Promise<Authentication>
}

/** What a token says beside what jose has checked. */
interface TokenClaims extends JWTPayload {
  sub: string
  scope: string
  roles: string[]
  sid: string
}

/**
 * Tells who is calling by a token of `POST /api/v1/auth/token`, sent as a bearer token, without
 * asking: issuer, audience, type and algorithm are pinned (RFC 9068 section 4), and the keys are
 * fetched once and again when one is missing. A session that ends is seen when its token does, after
 * five minutes at most.
 *
 * @throws TypeError when `issuer` or `jwksUrl` is no URL.
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
  // Tokens say the origin, which has no slash at the end.
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

/** After a failure the issuer is left alone for this long, whatever tokens arrive. */
const BACK_OFF_MS = 1000

/**
 * The keys of the issuer. An unknown key id fetches them again at most once in the 30 seconds that
 * are jose's default, and known keys are found while the issuer fails.
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

function toPrincipal({ sub, scope, roles, sid }: TokenClaims): Principal {
  return {
    subject: sub,
    scopes: scope.split(' ').filter(Boolean),
    roles,
    scheme: 'bearer',
    claims: { sessionId: sid },
  }
}
