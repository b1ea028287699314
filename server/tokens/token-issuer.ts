import { randomUUID } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import {
  type AuthSession,
  mapSessionToPrincipal,
  type PublicKeySet,
  type TokenResponse,
} from '@netscript/auth-contract'
import { assertSchemaIsRead, createPostgresAuditLog } from '@netscript/auth-database/internal'
import { AuthError, type AuthLog, type Keyring, silentLog } from '@netscript/plugin-auth-core'
import type { AuditLog } from '@netscript/plugin-auth-core/internal'
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import {
  ALGORITHM,
  createPostgresSigningKeyStore,
  createSigningKeys,
  type SigningKeyStore,
  TOKEN_LIFETIME_SECONDS,
} from './signing-keys.js'

/** Options of {@link createTokenIssuer}. */
export interface TokenIssuerOptions {
  /** Database with the encrypted signing keys and the audit trail. */
  pool: PostgresPool
  /** Encrypts the signing keys. Shared by all processes and never stored in the database. */
  keyring: Keyring
  /** The service's own origin: `iss`. */
  origin: string
  /** Allowed audiences: the services that tokens may be issued for. */
  audiences: readonly string[]
  /** Default: no log. */
  log?: AuthLog
}

/** Issues signed tokens that services verify offline. */
export interface TokenIssuer {
  /**
   * Checks that tokens may be issued for an audience.
   * @throws AuthError `VALIDATION_ERROR` for an audience that is not listed.
   */
  checkAudience(audience: string): void
  /**
   * Issues a token for a session's user, valid for five minutes but not beyond the session's end. The
   * issuance is recorded in the audit trail, unless `isRecorded` is false: for a token of one request,
   * that nothing keeps.
   * @throws AuthError `VALIDATION_ERROR`, `STORE_UNAVAILABLE`
   */
  issue(
    session: AuthSession,
    audience: string,
    options?: { readonly isRecorded?: boolean },
  ): Promise<TokenResponse>
  /**
   * Verifies a token of this issuer for an audience, and returns its session; `undefined` if it is not
   * valid. The session may have ended since.
   */
  verify(token: string, audience: string): Promise<string | undefined>
  /** The public keys that verify tokens. */
  publicKeys(): Promise<PublicKeySet>
  /** Creates and removes keys as they are due. Call it at start and periodically. */
  maintain(): Promise<void>
}

/**
 * Creates an issuer of RFC 9068 access tokens, signed with ES256.
 *
 * @example
 * ```ts
 * import { parseKeyring } from '@netscript/plugin-auth-core'
 *
 * const tokens = createTokenIssuer({
 *   pool,
 *   keyring: parseKeyring(getRequiredEnv('NETSCRIPT_AUTH_KV_OAUTH_KEY')),
 *   origin,
 *   audiences: ['https://orders.example'],
 * })
 * await tokens.maintain()
 * app.use(createAuthApp({ backend, origin, tokens }))
 * ```
 */
export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  const { pool, keyring, origin, log = silentLog } = options
  assertSchemaIsRead(pool)
  const audiences = new Set(options.audiences)
  return createAccessTokens({
    keys: createPostgresSigningKeyStore(pool, keyring),
    audit: createPostgresAuditLog(pool),
    origin,
    log,
    checkAudience(audience) {
      if (audiences.has(audience)) return
      throw new AuthError('VALIDATION_ERROR', 'Name an audience that the operator has listed.', {
        data: { formErrors: [], fieldErrors: { audience: ['is not a listed audience'] } },
        cause: new Error('The audience is not one of NETSCRIPT_AUTH_TOKEN_AUDIENCES.'),
      })
    },
  })
}

/** Options of {@link createAccessTokens}. */
export interface AccessTokenOptions extends Pick<TokenIssuer, 'checkAudience'> {
  readonly keys: SigningKeyStore
  readonly audit: Pick<AuditLog, 'record'>
  /** `iss` */
  readonly origin: string
  readonly log?: AuthLog
}

/** An issuer of RFC 9068 access tokens, signed with ES256, independent of where its keys are stored. */
export function createAccessTokens(options: AccessTokenOptions): TokenIssuer {
  const { audit, origin, checkAudience, log = silentLog } = options
  const keys = createSigningKeys(options.keys, log)

  return {
    checkAudience,
    async issue(session: AuthSession, audience, { isRecorded = true } = {}) {
      checkAudience(audience)
      const { kid, key } = await keys.current()
      const now = Math.floor(Date.now() / 1000)
      const sessionEnd = Math.floor(Date.parse(session.expiresAt) / 1000)
      const { auth_time, acr } = mapSessionToPrincipal(session).claims
      const exp = Math.min(now + TOKEN_LIFETIME_SECONDS, sessionEnd)
      const token = await new SignJWT({
        // Required by RFC 9068 section 2.2; the client is this service itself.
        client_id: origin,
        scope: session.scopes.join(' '),
        roles: session.roles,
        sid: session.id,
        // RFC 9068 section 2.2.1: of the sign-in. Absent ones are left out.
        auth_time,
        acr,
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid })
        .setIssuer(origin)
        .setSubject(session.userId)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(exp)
        .setJti(randomUUID())
        .sign(key)
      if (isRecorded) {
        await audit.record({ type: 'token.issued', sessionId: session.id, reason: audience })
      }
      return { token, tokenType: 'Bearer', expiresAt: new Date(exp * 1000).toISOString() }
    },
    async verify(token, audience) {
      const published = createLocalJWKSet({ keys: await keys.published() })
      try {
        const { payload } = await jwtVerify(token, published, {
          ...{ issuer: origin, audience, typ: 'at+jwt', algorithms: [ALGORITHM] },
          requiredClaims: ['exp', 'sub', 'sid'],
        })
        return typeof payload.sid === 'string' ? payload.sid : undefined
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
    publicKeys: async () => ({ keys: await keys.published() }),
    maintain: () => keys.maintain(),
  }
}
