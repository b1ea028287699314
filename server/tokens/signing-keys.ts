import type { CryptoKey, JWK } from 'jose'
import * as jose from 'jose'
import { PublicKey } from '@netscript/auth-contract'
import { AuthError, type AuthLog } from '@netscript/plugin-auth-core'

/** The algorithm of tokens: the one asymmetric one that every library verifies. */
export const ALGORITHM = 'ES256'

/** Maximum token lifetime; also how long a verifier may still accept an ended session. */
export const TOKEN_LIFETIME_SECONDS = 300

const DAY = 24 * 60 * 60_000

/** How long a key signs. */
const SIGN_FOR_MS = 30 * DAY
/** How long a key is published before it signs, so that verifiers' key caches have been refreshed. */
const PUBLISH_AHEAD_MS = DAY
/** How long a key stays published after its last signature: the token lifetime plus clock skew. */
const KEEP_MS = 2 * TOKEN_LIFETIME_SECONDS * 1000

/** A key as the store has it. */
export interface SigningKey {
  readonly generation: number
  readonly publicKey: PublicKey
  /** A JWK as text; `undefined` when no secret of the keyring opens it. */
  readonly privateKey: string | undefined
  readonly phase: 'next' | 'signing' | 'retired'
  /** Whether the one after it should be published. */
  readonly successorDue: boolean
}

/** A key to store. */
export interface NewSigningKey {
  readonly generation: number
  readonly publicKey: PublicKey
  readonly privateKey: string
  /** The generation at whose end it begins to sign. Default: it signs at once. */
  readonly after?: number
}

/** Where signing keys are kept. Every method throws `AuthError` `STORE_UNAVAILABLE`. */
export interface SigningKeyStore {
  /** All keys, the newest first. */
  list(options: { publishAheadMs: number }): Promise<readonly SigningKey[]>
  /** Adds a key unless another process has already added one of the same generation. */
  add(key: NewSigningKey, options: { signForMs: number }): Promise<void>
  /** Removes keys that have signed nothing for so long. */
  remove(options: { retiredForMs: number }): Promise<void>
}

/** The signing keys of a service, over all its processes. */
export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<{ kid: string; key: CryptoKey }>
  /** Everything that a token may have been, or will be, signed with. */
  published(): Promise<PublicKey[]>
  /** Creates the key that is due and removes expired ones. Call it at start and periodically. */
  maintain(): Promise<void>
}

/**
 * Keys that rotate by themselves: each signs for thirty days, and its successor is published a day
 * before it takes over. A key that no secret opens any more stays published and is replaced at once.
 */
export function createSigningKeys(store: SigningKeyStore, log: AuthLog): SigningKeys {
  const list = () => store.list({ publishAheadMs: PUBLISH_AHEAD_MS })
  const imported = new Map<string, Promise<CryptoKey>>()

  /** The newest that signs; made when there is none. */
  async function ensure(): Promise<SigningKey & { privateKey: string }> {
    const keys = await list()
    const found = signer(keys)
    if (found) return found
    await add(keys)
    const made = signer(await list())
    if (made) return made
    throw new AuthError('INTERNAL', 'Try again; if it stays, report the request id.', {
      cause: new Error(
        'A key for tokens was made that cannot be opened. Do all processes have one key?',
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
