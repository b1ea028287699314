import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { PostgresPool } from '@netscript/auth-database'
import type { AuthSession, PublicKeySet, TokenResponse } from '@netscript/auth-contract'
import { assertSchemaIsRead, createPostgresAuditLog } from '@netscript/auth-database/internal'
import { AuthError, type AuthLog, type Keyring, silentLog } from '@netscript/plugin-auth-core'
import { createPostgresSigningKeyStore } from './postgres-signing-key-store.js'
import { ALGORITHM, createSigningKeys, TOKEN_LIFETIME_SECONDS } from './signing-keys.js'

/** Options of {@link createTokenIssuer}. */
export interface TokenIssuerOptions {
  /** The database; it has the signing keys, sealed, and the audit trail. */
  pool: PostgresPool
  /** What seals the signing keys. All processes have it, and the database has not. */
  keyring: Keyring
  /** The service's own origin: `iss`. */
  origin: string
  /** The services that tokens may be for. */
  audiences: readonly string[]
  /** Default: says nothing. */
  log?: AuthLog
}

/** Issues signed tokens that services verify offline. */
export interface TokenIssuer {
  /**
   * Returns when tokens may be for the audience.
   * @throws AuthError `VALIDATION_ERROR` for an audience that is not listed.
   */
  checkAudience(audience: string): void
  /**
   * A token for the owner of a session, good for five minutes and no longer than the session. That
   * it was issued is in the audit trail.
   * @throws AuthError `VALIDATION_ERROR`, `STORE_UNAVAILABLE`
   */
  issue(session: AuthSession, audience: string): Promise<TokenResponse>
  /** The keys to verify tokens with. */
  publicKeys(): Promise<PublicKeySet>
  /** Makes and removes keys as they are due. Call it at start and now and then. */
  maintain(): Promise<void>
}

/**
 * An issuer of access tokens of RFC 9068, signed with ES256.
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
  const keys = createSigningKeys(createPostgresSigningKeyStore(pool, keyring), log)
  const audit = createPostgresAuditLog(pool)

  function checkAudience(audience: string): void {
    if (audiences.has(audience)) return
    throw new AuthError('VALIDATION_ERROR', 'Name an audience that the operator has listed.', {
      data: { formErrors: [], fieldErrors: { audience: ['is not a listed audience'] } },
      cause: new Error('The audience is not one of NETSCRIPT_AUTH_TOKEN_AUDIENCES.'),
    })
  }

  return {
    checkAudience,
    async issue(session, audience) {
      checkAudience(audience)
      const { kid, key } = await keys.current()
      const now = Math.floor(Date.now() / 1000)
      const sessionEnd = Math.floor(Date.parse(session.expiresAt) / 1000)
      const exp = Math.min(now + TOKEN_LIFETIME_SECONDS, sessionEnd)
      const token = await new SignJWT({
        // Required by RFC 9068 section 2.2; the client is this service itself.
        client_id: origin,
        scope: session.scopes.join(' '),
        roles: session.roles,
        sid: session.id,
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid })
        .setIssuer(origin)
        .setSubject(session.userId)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(exp)
        .setJti(randomUUID())
        .sign(key)
      await audit.record({ type: 'token.issued', sessionId: session.id, reason: audience })
      return { token, tokenType: 'Bearer', expiresAt: new Date(exp * 1000).toISOString() }
    },
    publicKeys: async () => ({ keys: await keys.published() }),
    maintain: () => keys.maintain(),
  }
}
