import { hash, randomBytes } from 'node:crypto'
import { AuthConfigurationError } from './errors.js'
import { createKeyring, decodeBase64url, type Keyring, sign, verify } from './keyring.js'
import type { AuthSessionCryptoPort } from './port.js'

/** The public id of a secret: base64url(SHA-256(secret)), 43 characters. */
export function publicId(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** 256 random bits as base64url, 43 characters. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** {@link createHmacSessionTokenCrypto} over a keyring whose keys are already separated by purpose. */
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
 * Issues and opens session tokens.
 *
 * A token is `secret.signature`: 256 random bits and their HMAC-SHA-256. The session id is the
 * SHA-256 of the secret, so the id, the stored session and a dump of the store build no token; the
 * signature means that a guess costs the store nothing.
 *
 * @param secrets One secret or several, each of at least 32 characters. The first signs, all open.
 * @throws AuthConfigurationError when a secret is shorter.
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
