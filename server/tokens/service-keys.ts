import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PostgresPool } from '@netscript/auth-database'
import {
  assertSchemaIsRead,
  createPostgresAuditLog,
  inTransaction,
  storeCall,
} from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** Maximum number of valid keys of a name: the old one and the new one while it is rotated. */
const MAX_VALID = 2
const TABLE = 'auth_service_keys'
/** Secret scanners find a key by its prefix. */
const KEY = /^nsk_([\da-f]{16})_([\w-]{43})$/
/** Compared if there is no such key, so that the time of a refusal does not reveal its id. */
const NO_HASH = Buffer.alloc(32)

/** A stored service key, without its secret. */
export interface ServiceKey {
  readonly id: string
  readonly name: string
  /** The audience of the tokens of ours that the service receives, and may send beside the key. */
  readonly audience: string
  /** Providers whose tokens it may request. */
  readonly providers: readonly string[]
  /** Scopes that such a token may have, beside those of the sign-in itself. */
  readonly scopes: readonly string[]
  /** ISO 8601 instants. */
  readonly createdAt: string
  readonly revokedAt?: string
  /** To the hour. */
  readonly lastUsedAt?: string
}

/** Checks the keys of services, and records what they receive. */
export interface ServiceKeys {
  /** Returns the valid key that was presented; `undefined` for any other text. */
  authenticate(presented: string): Promise<ServiceKey | undefined>
  /** Records that a token of a provider was issued, in the audit trail. */
  issued(key: ServiceKey, token: { sessionId: string; providerId: string }): Promise<void>
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

interface Row {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly audience: string
  readonly providers: string[]
  readonly scopes: string[]
  readonly created_at: Date
  readonly revoked_at: Date | null
  readonly last_used_at: Date | null
}

const toKey = ({ hash: _, created_at, revoked_at, last_used_at, ...row }: Row): ServiceKey => ({
  ...row,
  createdAt: created_at.toISOString(),
  ...(revoked_at && { revokedAt: revoked_at.toISOString() }),
  ...(last_used_at && { lastUsedAt: last_used_at.toISOString() }),
})

/**
 * The service keys in a database, for `POST /provider-token`.
 *
 * @example
 * ```ts
 * app.use(createAuthApp({ backend, origin, serviceKeys: createServiceKeys(pool) }))
 * ```
 */
export function createServiceKeys(pool: PostgresPool): ServiceKeys {
  assertSchemaIsRead(pool)
  const audit = createPostgresAuditLog(pool)
  return {
    async authenticate(presented) {
      const [, id, secret = ''] = KEY.exec(presented) ?? []
      if (id === undefined) return undefined
      const row = await storeCall(async () => {
        const { rows } = await pool.query<Row>(
          `SELECT * FROM ${TABLE} WHERE id = $1 AND revoked_at IS NULL`,
          [id],
        )
        return rows[0]
      })
      const stored = row ? Buffer.from(row.hash, 'base64url') : NO_HASH
      const isEqual = stored.length === 32 && timingSafeEqual(stored, hashOf(secret))
      return row && isEqual ? toKey(row) : undefined
    },
    async issued({ id }, { sessionId, providerId }) {
      await audit.record({ type: 'provider-token.issued', sessionId, providerId, reason: id })
      await storeCall(async () => {
        await pool.query(
          `UPDATE ${TABLE} SET last_used_at = date_trunc('hour', now()) WHERE id = $1
           AND (last_used_at IS NULL OR last_used_at < date_trunc('hour', now()))`,
          [id],
        )
      })
    },
  }
}

/**
 * Creates a key and returns it with its secret, which is not stored.
 * @throws AuthConfigurationError when two keys of the name are valid.
 */
export async function createServiceKey(
  pool: PostgresPool,
  {
    name,
    audience,
    providers,
    scopes,
  }: Pick<ServiceKey, 'name' | 'audience' | 'providers' | 'scopes'>,
): Promise<{ key: ServiceKey; secret: string }> {
  const id = randomBytes(8).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const row = await inTransaction(pool, async (client) => {
    // Of two commands at once, the second counts the key of the first.
    await client.query(`LOCK TABLE ${TABLE} IN SHARE ROW EXCLUSIVE MODE`)
    const { rows } = await client.query<Row>(
      `INSERT INTO ${TABLE} (id, name, hash, audience, providers, scopes)
       SELECT $1, $2, $3, $4, $5, $6
       WHERE (SELECT count(*) FROM ${TABLE} WHERE name = $2 AND revoked_at IS NULL) < ${MAX_VALID}
       RETURNING *`,
      [id, name, hashOf(secret).toString('base64url'), audience, providers, scopes],
    )
    return rows[0]
  })
  if (row) return { key: toKey(row), secret: `nsk_${id}_${secret}` }
  throw new AuthConfigurationError(
    `There are ${MAX_VALID} valid keys named "${name}". Revoke the one that is no longer used with "netscript auth service-key revoke <id>".`,
  )
}

/** Every key, newest first, revoked ones included. */
export async function listServiceKeys(pool: PostgresPool): Promise<readonly ServiceKey[]> {
  const { rows } = await pool.query<Row>(`SELECT * FROM ${TABLE} ORDER BY created_at DESC, id`)
  return rows.map(toKey)
}

/** Revokes a key, in force at the next request. False if there is no valid key with this id. */
export async function revokeServiceKey(pool: PostgresPool, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE ${TABLE} SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL`,
    [id],
  )
  return rowCount === 1
}
