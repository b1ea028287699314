import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { type JWK, SignJWT } from 'jose'
import type { OAuthProvider } from '../../../backends/kv-oauth/provider.js'
import { defineOAuthProvider } from '../../../backends/kv-oauth/define-provider.js'

const ISSUER = 'https://idp.example'
const CLIENT = { clientId: 'client', clientSecret: 'secret' }
const ENDPOINTS = {
  authorizationEndpoint: `${ISSUER}/authorize`,
  tokenEndpoint: `${ISSUER}/token`,
  userInfoEndpoint: `${ISSUER}/userinfo`,
}

/** A provider that gives the same answer every time: its key is fixed and its signatures are not random. */
export interface FixedProvider {
  /** Takes the place of the global fetch. */
  readonly fetch: typeof globalThis.fetch
  /** The provider of a process that has not yet read its metadata. */
  define(kind: 'oidc' | 'oauth', redirectUri: string): OAuthProvider
  /** What the provider sends when `subject` has signed in. */
  codeFor(subject: string, authorizationUrl: string): string
  logoutToken(claims: Record<string, unknown>): Promise<string>
  /** Ends all connections and takes no new ones. */
  down: boolean
  /** Refuses every code. */
  refuses: boolean
}

/** A {@link FixedProvider} that is up. */
export function createFixedProvider(): FixedProvider {
  const key = ed25519('provider')
  const publicJwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: 'key', alg: 'EdDSA' }
  const sign = (claims: Record<string, unknown>, typ: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT({ iss: ISSUER, aud: CLIENT.clientId, iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'key', typ })
      .sign(key)
  }
  const metadata = {
    issuer: ISSUER,
    authorization_endpoint: ENDPOINTS.authorizationEndpoint,
    token_endpoint: ENDPOINTS.tokenEndpoint,
    userinfo_endpoint: ENDPOINTS.userInfoEndpoint,
    prompt_values_supported: ['login', 'consent', 'select_account'],
    end_session_endpoint: `${ISSUER}/logout`,
    jwks_uri: `${ISSUER}/jwks`,
    id_token_signing_alg_values_supported: ['EdDSA'],
    code_challenge_methods_supported: ['S256'],
  }
  async function answer(path: string, form: URLSearchParams): Promise<Response> {
    switch (path) {
      case '/jwks':
        return Response.json({ keys: [publicJwk] })
      case '/token': {
        if (provider.refuses) return Response.json({ error: 'invalid_grant' }, { status: 400 })
        const [sub = '', nonce, maxAge] = form.get('code')?.split('~') ?? []
        const claims = {
          ...{ sub, nonce, sid: `${sub}-sid`, ...profileOf(sub) },
          ...(maxAge && { auth_time: Math.floor(Date.now() / 1000) }),
        }
        return Response.json({
          access_token: `access-token-of-${sub}`,
          token_type: 'Bearer',
          expires_in: 86_400,
          scope: 'openid profile email',
          id_token: await sign(claims, 'JWT'),
        })
      }
      case '/userinfo':
        return Response.json({ sub: 'ada', id: 'ada', ...profileOf('ada') })
      case '/.well-known/openid-configuration':
        return Response.json(metadata)
      default:
        return Response.json({ error: 'not_found' }, { status: 404 })
    }
  }
  const provider: FixedProvider = {
    down: false,
    refuses: false,
    async fetch(target, init) {
      const url = new URL(target instanceof Request ? target.url : target)
      if (provider.down || url.origin !== ISSUER) {
        throw new TypeError('fetch failed', {
          cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
        })
      }
      return answer(url.pathname, new URLSearchParams(init?.body as URLSearchParams))
    },
    define: (kind, redirectUri) =>
      defineOAuthProvider(
        kind === 'oidc'
          ? { id: 'local', ...CLIENT, redirectUri, issuer: ISSUER, additionalScopes: ['calendar'] }
          : { id: 'plain', ...CLIENT, redirectUri, ...ENDPOINTS, scopes: ['user'] },
      ),
    codeFor(subject, url) {
      const { searchParams } = new URL(url)
      const maxAge = searchParams.get('max_age')
      return `${subject}~${searchParams.get('nonce')}${maxAge === null ? '' : `~${maxAge}`}`
    },
    logoutToken: (claims) =>
      sign(
        { events: { 'http://schemas.openid.net/event/backchannel-logout': {} }, ...claims },
        'logout+jwt',
      ),
  }
  return provider
}

const profileOf = (subject: string): Record<string, unknown> => ({
  name: `${subject} Lovelace`,
  email: `${subject}@example.test`,
  email_verified: true,
})

const seedOf = (name: string): Buffer => createHash('sha256').update(name).digest()

/** An Ed25519 key of a fixed seed, in the PKCS #8 of RFC 8410. Its signatures are deterministic. */
function ed25519(name: string): ReturnType<typeof createPrivateKey> {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  return createPrivateKey({
    key: Buffer.concat([prefix, seedOf(name)]),
    format: 'der',
    type: 'pkcs8',
  })
}

/** An ES256 key of a fixed seed. */
export function fixedSigningKey(name: string): JWK & { x: string; y: string; d: string } {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(seedOf(name))
  const point = curve.getPublicKey()
  return {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: seedOf(name).toString('base64url'),
  }
}
