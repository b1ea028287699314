import { authenticated, type Authenticator, headerOf, type Principal } from './authenticator.js'

/** The identity of a static credential. */
interface StaticIdentity {
  /** The subject of the principal. */
  subject: string
  /** @default none */
  scopes?: readonly string[]
  /** @default none */
  roles?: readonly string[]
  /** Copied for each principal. @default none */
  claims?: Readonly<Record<string, unknown>>
}

/** Options of {@link createStaticCredentialAuthenticator}. */
export interface StaticCredentialOptions {
  /** Identities by secret token. */
  credentials: Readonly<Record<string, StaticIdentity>>
  /** The scheme of the principals. @default `bearer` or `api-key`, as the token was sent */
  scheme?: Principal['scheme']
  /** The realm of `WWW-Authenticate`. @default 'api' */
  realm?: string
}

/**
 * Creates an authenticator for machine callers with a shared secret, sent as `Authorization: Bearer`,
 * or as `x-api-key` when there is no `Authorization` header. Tokens are compared by SHA-256 digest
 * in constant time.
 *
 * @throws TypeError for an empty token.
 *
 * @example
 * ```ts
 * createStaticCredentialAuthenticator({
 *   credentials: { [getRequiredEnv('REPORTS_TOKEN')]: { subject: 'reports', scopes: ['orders:read'] } },
 * })
 * ```
 */
export function createStaticCredentialAuthenticator({
  credentials,
  scheme,
  realm = 'api',
}: StaticCredentialOptions): Authenticator {
  if ('' in credentials) throw new TypeError('A static credential must not be empty.')
  const known = Promise.all(
    Object.entries(credentials).map(async ([token, identity]) => ({
      digest: await digestOf(token),
      identity,
    })),
  )
  return {
    realm,
    async authenticate(request) {
      const authorization = headerOf(request, 'authorization')
      const token =
        authorization === undefined
          ? headerOf(request, 'x-api-key')?.trim()
          : BEARER.exec(authorization)?.[1]
      if (!token) return { ok: false, reason: 'credential-missing', setCookies: [] }
      const given = await digestOf(token)
      // Compares all entries even after a match, to keep the timing constant.
      const [found] = (await known).filter(({ digest }) => isEqual(digest, given))
      if (!found) return { ok: false, reason: 'credential-invalid', setCookies: [] }
      const { subject, scopes = [], roles = [], claims = {} } = found.identity
      return authenticated({
        subject,
        scopes: [...scopes],
        roles: [...roles],
        scheme: scheme ?? (authorization === undefined ? 'api-key' : 'bearer'),
        claims: structuredClone(claims),
      })
    },
  }
}

/** The bearer `Authorization` header (RFC 6750 section 2.1). */
const BEARER = /^Bearer +(\S+) *$/i

const digestOf = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** Compares in constant time. */
const isEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
