import { hash, randomBytes } from 'node:crypto'
import { AuthConfigurationError } from './errors.js'
import { createKeyring, decodeBase64url, type Keyring, sign, verify } from './keyring.js'
import type { AuthSessionCryptoPort } from './port.js'

/** Returns the public id of a secret: base64url(SHA-256(secret)), 43 characters. */
export function publicId(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** Creates 256 random bits as base64url, 43 characters. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Like {@link createHmacSessionTokenCrypto}, with a keyring whose keys are separated by purpose. */
export function createKeyringSessionTokenCrypto(keyring: Keyring): AuthSessionCryptoPort {
  const keys = keyring.keys('session-token')
  return {
    issueSessionToken() {
      const secret = randomSecret()
      const [key] = keys
      if (!key) throw new AuthConfigurationError('The keyring is empty.')
      return { token: `${secret}.${sign(key, secret)}`, sessionId: publicId(secret) }
    },
    openSessionToken(token) {
      const [secret, signature, rest] = token.split('.')
      if (!secret || !signature || rest !== undefined) return undefined
      if (decodeBase64url(secret)?.length !== 32) return undefined
      return verify(keys, secret, signature) ? publicId(secret) : undefined
    },
  }
}

/**
 * Creates the crypto port for session tokens.
 *
 * A token is `secret.signature`: 256 random bits and their HMAC-SHA-256. The session id is the
 * SHA-256 of the secret, so that no token can be derived from a session id or a dump of the store.
 * The signature lets forged tokens fail without a store read.
 *
 * @param secrets One or more secrets of at least 32 characters, as a list or comma-separated. The
 * first signs; all of them verify.
 * @throws AuthConfigurationError when a secret is shorter or none is given.
 *
 * @example
 * ```ts
 * const crypto = createHmacSessionTokenCrypto(getRequiredEnv('NETSCRIPT_AUTH_KV_OAUTH_KEY'))
 * const { token, sessionId } = crypto.issueSessionToken()
 * crypto.openSessionToken(token) === sessionId // true
 * ```
 */
export function createHmacSessionTokenCrypto(
  secrets: string | readonly string[],
): AuthSessionCryptoPort {
  const list = typeof secrets === 'string' ? secrets.split(',').map((part) => part.trim()) : secrets
  const short = list.findIndex((secret) => secret.length < 32)
  if (list.length === 0 || short >= 0) {
    throw new AuthConfigurationError('A session token secret must have at least 32 characters.')
  }
  return createKeyringSessionTokenCrypto(createKeyring(list.map((secret) => Buffer.from(secret))))
}
