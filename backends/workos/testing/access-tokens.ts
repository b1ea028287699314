import { randomUUID } from 'node:crypto'
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose'

/** Overrides for an access token. A claim of `null` is omitted. */
export interface AccessTokenOptions {
  /** Seconds until the token expires; negative for an expired one. @default 300, as at WorkOS */
  expiresIn?: number
  sessionId?: string
  claims?: Record<string, unknown>
  header?: JWTHeaderParameters
  /** @default the key in the key set */
  key?: CryptoKey | Uint8Array
}

/** Signs access tokens as WorkOS does. */
export interface TokenIssuer {
  issue(subject: string, options?: AccessTokenOptions): Promise<string>
  /** The public key of the current signing key. */
  jwk(): JWK
  publicKey(): CryptoKey
  rotateKeys(): Promise<void>
}

export async function createTokenIssuer(issuer: string, clientId: string): Promise<TokenIssuer> {
  let signing = await newKey()
  return {
    async issue(subject, options = {}) {
      const expiresAt = Math.floor(Date.now() / 1000) + (options.expiresIn ?? 300)
      const payload: JWTPayload = {
        iss: issuer,
        sub: subject,
        sid: options.sessionId ?? `session_${randomUUID().replaceAll('-', '')}`,
        jti: randomUUID(),
        client_id: clientId,
        org_id: 'org_01TEST',
        role: 'member',
        roles: ['member'],
        permissions: ['posts:read', 'posts:write'],
        iat: expiresAt - 300,
        exp: expiresAt,
        ...options.claims,
      }
      const claims = Object.entries(payload).filter(([, value]) => value !== null)
      return new SignJWT(Object.fromEntries(claims))
        .setProtectedHeader(options.header ?? { alg: 'RS256', kid: signing.kid })
        .sign(options.key ?? signing.privateKey)
    },
    jwk: () => signing.jwk,
    publicKey: () => signing.publicKey,
    async rotateKeys() {
      signing = await newKey()
    },
  }
}

async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = `sso_oidc_key_pair_${randomUUID()}`
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' }
  return { publicKey, privateKey, kid, jwk }
}
