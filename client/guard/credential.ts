import { type GuardRequest, headerOf } from './authenticator.js'

/** What a caller shows to say who they are, as it was sent. */
export interface Credential {
  /** The pairs of auth cookies, undecoded, in the order sent; two of one name both. */
  readonly cookie?: string
  /** The `Authorization` header, when its scheme is Bearer. */
  readonly authorization?: string
}

/** The cookies of the three backends. */
export const AUTH_COOKIES: readonly string[] = [
  '__Host-ns_session',
  'wos-session',
  'better-auth.*',
  '__Secure-better-auth.*',
]

/**
 * The credential in a request; `undefined` when there is none. Nothing else of a request leaves the
 * service: another cookie may be a secret of somebody else, and so may another scheme's password.
 *
 * @param names Names of cookies; one that ends in `*` is how names begin.
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

/** Names a credential: equal for equal ones alone, since a header has no line break. */
export const credentialKey = ({ cookie = '', authorization = '' }: Credential): string =>
  `${cookie}\n${authorization}`
