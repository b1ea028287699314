import { authenticated, type Authenticator, headerOf, type Principal } from './authenticator.js'

/** Whom a static credential stands for. */
export interface StaticIdentity {
  /** The id that the principal gets. */
  subject: string
  /** Default: none. */
  scopes?: readonly string[]
  /** Default: none. */
  roles?: readonly string[]
  /** Default: none. Each principal has a copy. */
  claims?: Readonly<Record<string, unknown>>
}

/** Options of {@link createStaticCredentialAuthenticator}. */
export interface StaticCredentialOptions {
  /** Identities by their secret token. */
  credentials: Readonly<Record<string, StaticIdentity>>
  /** How principals say that they came. Default: `bearer` or `api-key`, as the token was sent. */
  scheme?: Principal['scheme']
  /** The protection space of `WWW-Authenticate`. Default: `api`. */
  realm?: string
}

/**
 * Tells callers by a secret that both sides were given, for machines: `Authorization: Bearer`, or
 * `x-api-key` when there is no `Authorization`. The token is compared with all of them by digest, in
 * a time that tells nothing.
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
      // Every one is looked at, found or not.
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

/** RFC 6750 section 2.1. */
const BEARER = /^Bearer +(\S+) *$/i

const digestOf = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** Looks at every byte, whatever the first ones are. */
const isEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
