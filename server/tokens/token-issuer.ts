import type { PostgresPool } from '@netscript/auth-database'
import { assertSchemaIsRead, createPostgresAuditLog } from '@netscript/auth-database/internal'
import { AuthError, type AuthLog, type Keyring, silentLog } from '@netscript/plugin-auth-core'
import { createAccessTokens, type TokenIssuer } from './access-tokens.js'
import { createPostgresSigningKeyStore } from './postgres-signing-key-store.js'

export type { TokenIssuer }

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
