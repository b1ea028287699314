import { type GuardRequest, headerOf } from './authenticator.js'

/** The credential of a request, exactly as sent. */
export interface Credential {
  /** Name-value pairs of auth cookies, undecoded, in the order sent, duplicates included. */
  readonly cookie?: string
  /** The `Authorization` header if its scheme is Bearer. */
  readonly authorization?: string
}

/** Default cookie names of the three backends. */
export const AUTH_COOKIES: readonly string[] = [
  '__Host-ns_session',
  'wos-session',
  'better-auth.*',
  '__Secure-better-auth.*',
]

/**
 * The credential of a request; `undefined` when there is none. Nothing else is forwarded: other
 * cookies and other `Authorization` schemes may be secrets of another system.
 *
 * @param names Cookie names; a name that ends in `*` is a prefix.
 */
export function credentialOf(
  request: GuardRequest,
  names: readonly string[],
): Credential | undefined {
  const cookie = (headerOf(request, 'cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => isNamed(pair.split('=', 1)[0]?.trim() ?? '', names))
    .join('; ')
  const header = headerOf(request, 'authorization')
  const authorization = header !== undefined && /^Bearer(\s|$)/i.test(header) ? header : undefined
  if (cookie === '' && authorization === undefined) return undefined
  return { ...(cookie !== '' && { cookie }), ...(authorization !== undefined && { authorization }) }
}

const isNamed = (name: string, names: readonly string[]): boolean =>
  names.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one))

/** A unique key of a credential. Unambiguous, because a header cannot contain a line break. */
export const credentialKey = ({ cookie = '', authorization = '' }: Credential): string =>
  `${cookie}\n${authorization}`
