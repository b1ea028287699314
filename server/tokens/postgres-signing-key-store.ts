import type { PostgresPool } from '@netscript/auth-database'
import type { PublicKey } from '@netscript/auth-contract/internal'
import { queryPrepared, storeCall } from '@netscript/auth-database/internal'
import { createKeyring, type Keyring } from '@netscript/plugin-auth-core'
import { seal, unseal } from '@netscript/plugin-auth-core/internal'
import type { NewSigningKey, SigningKey, SigningKeyStore } from './signing-keys.js'

const TABLE = 'auth_signing_keys'

interface KeyRow {
  generation: number
  kid: string
  public_key: PublicKey
  private_key: string
  phase: SigningKey['phase']
  successor_due: boolean
}

/**
 * Stores signing keys in Postgres, with encrypted private keys. Only the database's clock decides which
 * key signs.
 */
export function createPostgresSigningKeyStore(
  pool: PostgresPool,
  keyring: Keyring,
): SigningKeyStore {
  const newest = createKeyring(keyring.secrets.slice(0, 1))
  const open = (ring: Keyring, { kid, private_key }: KeyRow): string | undefined =>
    unseal(ring, 'signing-keys', kid, private_key)

  /**
   * Encrypts the key again with the first secret, so that older secrets can be removed while the key is
   * in use.
   */
  async function sealAnew({ kid, private_key: before }: KeyRow, privateKey: string): Promise<void> {
    await pool.query(`UPDATE ${TABLE} SET private_key = $3 WHERE kid = $1 AND private_key = $2`, [
      kid,
      before,
      seal(keyring, 'signing-keys', kid, privateKey),
    ])
  }

  return {
    list: ({ publishAheadMs }) =>
      storeCall(async () => {
        const { rows } = await queryPrepared<KeyRow>(pool, {
          name: 'auth_signing_keys_list',
          text: `SELECT generation, kid, public_key, private_key,
              CASE WHEN retires_at <= now() THEN 'retired'
                   WHEN signs_at <= now() THEN 'signing' ELSE 'next' END AS phase,
              retires_at - $1 * interval '1 millisecond' <= now() AS successor_due
            FROM ${TABLE} ORDER BY generation DESC`,
          values: [publishAheadMs],
        })
        return Promise.all(
          rows.map(async (row): Promise<SigningKey> => {
            const privateKey = open(keyring, row)
            if (privateKey !== undefined && open(newest, row) === undefined) {
              await sealAnew(row, privateKey)
            }
            return {
              generation: row.generation,
              publicKey: row.public_key,
              privateKey,
              phase: row.phase,
              successorDue: row.successor_due,
            }
          }),
        )
      }),
    add: ({ generation, publicKey, privateKey, after }: NewSigningKey, { signForMs }) =>
      storeCall(async () => {
        const { kid } = publicKey
        await pool.query(
          `INSERT INTO ${TABLE} (generation, kid, public_key, private_key, signs_at, retires_at)
           SELECT $1, $2, $3, $4, start, start + $6 * interval '1 millisecond'
           FROM (SELECT coalesce(
             (SELECT retires_at FROM ${TABLE} WHERE generation = $5), date_trunc('milliseconds', now())) AS start) AS from_then
           ON CONFLICT (generation) DO NOTHING`,
          [
            generation,
            kid,
            JSON.stringify(publicKey),
            seal(keyring, 'signing-keys', kid, privateKey),
            after ?? null,
            signForMs,
          ],
        )
      }),
    remove: ({ retiredForMs }) =>
      storeCall(async () => {
        await pool.query(
          `DELETE FROM ${TABLE} WHERE retires_at <= now() - $1 * interval '1 millisecond'`,
          [retiredForMs],
        )
      }),
  }
}
