import { generateKeyPair, type KeyObject, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { CompactSign, type JWK } from 'jose'

/** An RSA key pair with a key id. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly privateJwk: JWK & { kid: string }
  readonly publicJwk: JWK & { kid: string }
}

/** Makes a key for RS256. */
export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const named = { kid: randomUUID(), use: 'sig', alg: 'RS256' }
  return {
    kid: named.kid,
    privateKey,
    publicKey,
    privateJwk: { ...(privateKey.export({ format: 'jwk' }) as JWK), ...named },
    publicJwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), ...named },
  }
}

/** The two readable parts of a JWT. */
export interface TokenParts {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** Reads a JWT without verifying anything. */
export function readToken(token: string): TokenParts {
  const [header, claims] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as never)
  return { header: header ?? {}, claims: claims ?? {} }
}

/**
 * Signs any claims. Claims given as text are signed unchanged, for JSON that no object can express, such
 * as duplicate members.
 */
export async function sign(
  header: Record<string, unknown>,
  claims: Record<string, unknown> | string,
  key: KeyObject | Uint8Array,
): Promise<string> {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims)
  return new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ ...header, alg: String(header.alg) })
    .sign(key)
}

/** A JWT of algorithm `none` (RFC 7519 section 6). */
export function unsigned(claims: Record<string, unknown>, alg = 'none'): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode({ alg, typ: 'JWT' })}.${encode(claims)}.`
}
