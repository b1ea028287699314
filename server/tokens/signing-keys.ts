import * as jose from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { PublicKey } from '@netscript/auth-contract/internal'
import { AuthError, type AuthLog, type Keyring } from '@netscript/plugin-auth-core'
import { createKeyring, seal, unseal } from '@netscript/plugin-auth-core/internal'
import type { PostgresPool } from '@netscript/auth-database'
import { queryPrepared, storeCall } from '@netscript/auth-database/internal'

/** Signature algorithm of tokens; widely supported by JWT libraries. */
export const ALGORITHM = 'ES256'

/** Maximum token lifetime; also how long a verifier may still accept an ended session. */
export const TOKEN_LIFETIME_SECONDS = 300

const DAY = 24 * 60 * 60_000

/** How long a key signs, in milliseconds. */
const SIGN_FOR_MS = 30 * DAY
/** How long a key is published before it signs, so that verifiers' key caches have been refreshed. */
const PUBLISH_AHEAD_MS = DAY
/** How long a key stays published after its last signature: the token lifetime plus clock skew. */
const KEEP_MS = 2 * TOKEN_LIFETIME_SECONDS * 1000

/** A stored key. */
export interface SigningKey {
  readonly generation: number
  readonly publicKey: PublicKey
  /** A JWK as text; `undefined` when no secret of the keyring decrypts it. */
  readonly privateKey: string | undefined
  readonly phase: 'next' | 'signing' | 'retired'
  /** Whether its successor should be published. */
  readonly successorDue: boolean
}

/** A key to store. */
interface NewSigningKey {
  readonly generation: number
  readonly publicKey: PublicKey
  readonly privateKey: string
  /** The generation after which it starts to sign. Default: it signs immediately. */
  readonly after?: number
}

/** Storage of signing keys. Every method throws `AuthError` `STORE_UNAVAILABLE`. */
export interface SigningKeyStore {
  /** All keys, newest first. */
  list(options: { publishAheadMs: number }): Promise<readonly SigningKey[]>
  /** Adds a key unless another process has already added one of the same generation. */
  add(key: NewSigningKey, options: { signForMs: number }): Promise<void>
  /** Removes keys that stopped signing at least that long ago. */
  remove(options: { retiredForMs: number }): Promise<void>
}

/** The signing keys of a service, shared by all its processes. */
interface SigningKeys {
  /** The current signing key. */
  current(): Promise<{ kid: string; key: CryptoKey }>
  /** All keys that verify current tokens, and the next one. */
  published(): Promise<PublicKey[]>
  /** Creates the key that is due and removes expired ones. Call it at start and periodically. */
  maintain(): Promise<void>
}

/**
 * Automatically rotated keys: each signs for thirty days, and its successor is published one day before
 * it takes over. A key that no secret decrypts stays published and is replaced at once.
 */
export function createSigningKeys(store: SigningKeyStore, log: AuthLog): SigningKeys {
  const list = () => store.list({ publishAheadMs: PUBLISH_AHEAD_MS })
  const imported = new Map<string, Promise<CryptoKey>>()

  /** The newest key that signs; creates one when there is none. */
  async function ensure(): Promise<SigningKey & { privateKey: string }> {
    const keys = await list()
    const found = signer(keys)
    if (found) return found
    await add(keys)
    const made = signer(await list())
    if (made) return made
    throw new AuthError('INTERNAL', 'Try again; if it stays, report the request id.', {
      cause: new Error(
        'A new signing key cannot be decrypted. Check that all processes use the same secret.',
      ),
    })
  }

  async function add(keys: readonly SigningKey[], after?: number): Promise<void> {
    const generation = (keys[0]?.generation ?? 0) + 1
    const pair = await makePair()
    await store.add(
      { generation, ...pair, ...(after !== undefined && { after }) },
      { signForMs: SIGN_FOR_MS },
    )
    log.info({ kid: pair.publicKey.kid }, 'A key for tokens was published.')
  }

  return {
    async current() {
      const { publicKey, privateKey } = await ensure()
      const { kid } = publicKey
      let key = imported.get(kid)
      if (!key) {
        imported.clear()
        key = jose.importJWK(JSON.parse(privateKey) as JWK, ALGORITHM) as Promise<CryptoKey>
        imported.set(kid, key)
      }
      return { kid, key: await key }
    },
    published: async () => (await list()).map(({ publicKey }) => publicKey),
    async maintain() {
      await store.remove({ retiredForMs: KEEP_MS })
      const { generation, successorDue } = await ensure()
      const keys = await list()
      if (successorDue && keys[0]?.generation === generation) await add(keys, generation)
    },
  }
}

function signer(keys: readonly SigningKey[]): (SigningKey & { privateKey: string }) | undefined {
  return keys.find(
    (key): key is SigningKey & { privateKey: string } =>
      key.phase === 'signing' && key.privateKey !== undefined,
  )
}

async function makePair(): Promise<Pick<NewSigningKey, 'publicKey' | 'privateKey'>> {
  const pair = await jose.generateKeyPair(ALGORITHM, { extractable: true })
  const jwk = await jose.exportJWK(pair.publicKey)
  const kid = await jose.calculateJwkThumbprint(jwk)
  return {
    publicKey: PublicKey.parse({ ...jwk, kid, alg: ALGORITHM, use: 'sig' }),
    privateKey: JSON.stringify(await jose.exportJWK(pair.privateKey)),
  }
}

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
