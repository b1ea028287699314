/** Which paths require a session. */
export interface GuardedPaths {
  /** Protected paths, including everything below them. @default ['/api'] */
  protect?: readonly string[]
  /** Exceptions to `protect`, including everything below them. @default ['/health'] */
  allowAnonymous?: readonly string[]
}

/**
 * Decides whether a path requires a session. When in doubt it does: `protect` ignores case, because
 * Express routes `/API` to `/api`, and an exception applies only to a path without ambiguous segments.
 *
 * @throws TypeError for a path that does not begin with a slash, because it would never match.
 */
export function pathGuard({ protect, allowAnonymous }: GuardedPaths): (path: string) => boolean {
  const closed = prefixes(protect, '/api').map((prefix) => prefix.toLowerCase())
  const open = prefixes(allowAnonymous, '/health')
  return (path) => {
    if (PLAIN.test(path) && open.some((prefix) => isBelow(path, prefix))) return false
    return closed.some((prefix) => isBelow(path.toLowerCase(), prefix))
  }
}

/** An empty list means the default: an accidental `[]` must not leave every path open. */
function prefixes(given: readonly string[] = [], otherwise: string): string[] {
  return (given.length > 0 ? given : [otherwise]).map((prefix) => {
    if (!prefix.startsWith('/')) throw new TypeError(`The path "${prefix}" must begin with "/".`)
    return prefix.replace(/\/+$/, '')
  })
}

/** Paths that every parser reads alike: no empty or dot segment, no percent-encoding, no backslash. */
const PLAIN = /^(\/(?!\.{1,2}(\/|$))[^/%\\]+)*\/?$/

const isBelow = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`)

/**
 * The path of a URL or request target as frameworks that decode it route by it: without the query,
 * and decoded except for delimiters such as `%2F`.
 *
 * @throws URIError for a malformed path.
 */
export const decodedPath = (url: string): string =>
  decodeURI(url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')) || '/'
