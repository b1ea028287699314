import { AuthError } from './errors.js'

/** Validates the return addresses of signin, callback and signout. */
export interface ReturnToPolicy {
  /** The default return address: the front page of the service. */
  readonly default: string
  /**
   * Returns the absolute URL of an allowed target; the default for `undefined`.
   * @throws AuthError `RETURN_TO_NOT_ALLOWED`
   */
  resolve(target: string | undefined): string
  /** Whether a target is on an allowed origin, regardless of its length. */
  allows(target: string): boolean
}

const UNSAFE = /[\u0000-\u0020\u007f\\]/
/** Characters that parsers drop or read as a slash. A space in a path is harmless. */
const RESHAPING = /[\u0000-\u001f\u007f\\]/
const DECODE_ROUNDS = 3
/** Limits the URL after encoding, where one character takes up to nine. */
const MAX_LENGTH = 2048

/**
 * Creates a policy that allows paths on the service's own origin and URLs on listed origins. A target
 * is parsed once, compared by origin, and sent as the parser serialized it (RFC 9700 section 4.11).
 */
export function createReturnToPolicy(
  ownOrigin: string,
  allowedOrigins: readonly string[] = [],
): ReturnToPolicy {
  const origins = new Set([ownOrigin, ...allowedOrigins])
  const home = new URL('/', ownOrigin).href
  const parse = (target: string): URL | undefined => {
    const url = parseTarget(target, ownOrigin)
    return url && origins.has(url.origin) ? url : undefined
  }
  return {
    default: home,
    allows: (target) => parse(target) !== undefined,
    resolve(target) {
      if (target === undefined) return home
      const url = parseTarget(target, ownOrigin)
      const isListed = url !== undefined && origins.has(url.origin)
      if (isListed && url.href.length <= MAX_LENGTH) return url.href
      throw new AuthError(
        'RETURN_TO_NOT_ALLOWED',
        `Use a path that starts with one slash, or a URL on an allowed origin, of at most ${MAX_LENGTH} characters.`,
        { cause: url && !isListed ? unlisted(url.origin) : undefined },
      )
    },
  }
}

/** Only for the log: a user cannot change the setting. */
const unlisted = (origin: string): Error =>
  new Error(
    `The return target is on ${origin}. To allow it, list that origin in NETSCRIPT_AUTH_ALLOWED_RETURN_TO (allowedReturnTo of the API).`,
  )

function parseTarget(target: string, base: string): URL | undefined {
  if (!/^(\/|https?:\/\/)/i.test(target) || UNSAFE.test(target)) return undefined
  const url = URL.canParse(target, base) ? new URL(target, base) : undefined
  if (!url || url.username !== '' || url.password !== '') return undefined
  return isSafePath(url.pathname) ? url : undefined
}

/**
 * A proxy or router behind the service may decode the path again and resolve dot segments. No such
 * reading may lead to another host.
 */
function isSafePath(pathname: string): boolean {
  if (decodesToNothing(pathname)) return false
  let path = pathname
  for (let round = 0; round <= DECODE_ROUNDS; round += 1) {
    if (RESHAPING.test(path) || path.startsWith('//')) return false
    if (new URL(path, 'http://host').pathname.startsWith('//')) return false
    const decoded = decodeAscii(path)
    if (decoded === path) return true
    path = decoded
  }
  return false
}

/** Whether the path is malformed as sent. Malformed after further decoding is a literal percent sign. */
function decodesToNothing(pathname: string): boolean {
  try {
    decodeURIComponent(pathname)
    return false
  } catch {
    return true
  }
}

/** Decodes as leniently as possible. Only ASCII bytes can change where a path leads. */
function decodeAscii(path: string): string {
  return path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
}
