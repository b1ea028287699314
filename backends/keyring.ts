import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { AuthConfigurationError } from './errors.js'

/** The purpose of a derived key. A value sealed for one purpose does not open for another. */
export type KeyPurpose =
  | 'session-token'
  | 'sign-in-transaction'
  | 'log-out-transaction'
  | 'provider-tokens'
  | 'audit-subject'
  | 'rate-limit'
  | 'signing-keys'

/**
 * One or more 32-byte secrets. The first signs and seals; all of them verify and open. To rotate,
 * append the new key, move it to the front once every process has it, and remove the old key after
 * its last session has expired.
 */
export interface Keyring {
  /** The raw secrets, 32 bytes each. */
  readonly secrets: readonly Uint8Array[]
  /** Keys for a purpose, one per secret, derived with HKDF-SHA-256 (RFC 5869). */
  keys(purpose: KeyPurpose): readonly Uint8Array[]
}

const HOW_TO_MAKE_ONE =
  'Make one with: node -e "console.log(crypto.randomBytes(32).toString(\'base64url\'))"'

/** Creates a keyring from raw secrets. */
export function createKeyring(secrets: readonly Uint8Array[]): Keyring {
  const derived = new Map<KeyPurpose, readonly Uint8Array[]>()
  return {
    secrets,
    keys(purpose) {
      let keys = derived.get(purpose)
      if (!keys) {
        keys = secrets.map((secret) =>
          Buffer.from(hkdfSync('sha256', secret, '', `netscript-auth:${purpose}:v1`, 32)),
        )
        derived.set(purpose, keys)
      }
      return keys
    },
  }
}

/**
 * Parses `NETSCRIPT_AUTH_KV_OAUTH_KEY`: comma-separated base64url secrets of exactly 32 bytes.
 * @throws AuthConfigurationError with the variable, the position of the key and the fix; never the key.
 */
export function parseKeyring(
  value: string | undefined,
  variable = 'NETSCRIPT_AUTH_KV_OAUTH_KEY',
): Keyring {
  const parts = (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  if (parts.length === 0) {
    throw new AuthConfigurationError(`${variable} is not set. ${HOW_TO_MAKE_ONE}`)
  }
  const secrets = parts.map((part, index) => {
    const secret = decodeBase64url(part)
    if (secret?.length !== 32) {
      const which = parts.length > 1 ? `key ${index + 1} of ${variable}` : variable
      throw new AuthConfigurationError(
        `${which} must be 32 bytes in base64url without padding (43 characters). ${HOW_TO_MAKE_ONE}`,
      )
    }
    return secret
  })
  return createKeyring(secrets)
}

/** Base64url without padding, whose unused bits are zero. */
const CANONICAL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/

/** Decodes canonical, unpadded base64url; `undefined` for anything else (RFC 4648 section 3.5). */
export function decodeBase64url(text: string): Uint8Array | undefined {
  return CANONICAL.test(text) ? Buffer.from(text, 'base64url') : undefined
}

/** HMAC-SHA-256 as base64url. */
export function sign(key: Uint8Array, message: string): string {
  return createHmac('sha256', key).update(message).digest('base64url')
}

/** Whether any of the keys made the signature. Signatures are compared in constant time. */
export function verify(keys: readonly Uint8Array[], message: string, signature: string): boolean {
  const given = decodeBase64url(signature)
  if (given?.length !== 32) return false
  return keys.some((key) =>
    timingSafeEqual(createHmac('sha256', key).update(message).digest(), given),
  )
}

const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts text with AES-256-GCM under the first key of the purpose. `boundTo` (a session id, a
 * transaction key) is additional authenticated data: the value opens only with the same `boundTo`.
 */
export function seal(keyring: Keyring, purpose: KeyPurpose, boundTo: string, text: string): string {
  const [key] = keyring.keys(purpose)
  if (!key) throw new AuthConfigurationError('The keyring is empty.')
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(
    Buffer.from(`${purpose}\0${boundTo}`),
  )
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url')
}

/** Decrypts a value of {@link seal} with any key of the ring; `undefined` when none fits. */
export function unseal(
  keyring: Keyring,
  purpose: KeyPurpose,
  boundTo: string,
  sealed: string,
): string | undefined {
  const bytes = decodeBase64url(sealed)
  if (!bytes || bytes.length < IV_BYTES + TAG_BYTES) return undefined
  const iv = bytes.subarray(0, IV_BYTES)
  const tag = bytes.subarray(-TAG_BYTES)
  const body = bytes.subarray(IV_BYTES, -TAG_BYTES)
  for (const key of keyring.keys(purpose)) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(`${purpose}\0${boundTo}`)).setAuthTag(tag)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    } catch {
      // Try the next key.
    }
  }
  return undefined
}
