/** Which paths need somebody to be signed in. */
export interface GuardedPaths {
  /** Paths, with all that is below them. Default: `/api`. */
  protect?: readonly string[]
  /** Exceptions from it. Default: `/health`. */
  allowAnonymous?: readonly string[]
}

/**
 * Tells whether a path needs somebody to be signed in. Doubt protects: `/API` is `/api` to Express,
 * so `protect` does not look at case; an exception is a path that every reader reads alike.
 *
 * @throws TypeError for a path that does not begin with a slash: it would never match.
 */
export function pathGuard({ protect, allowAnonymous }: GuardedPaths): (path: string) => boolean {
  const closed = prefixes(protect, '/api').map((prefix) => prefix.toLowerCase())
  const open = prefixes(allowAnonymous, '/health')
  return (path) => {
    if (PLAIN.test(path) && open.some((prefix) => isBelow(path, prefix))) return false
    return closed.some((prefix) => isBelow(path.toLowerCase(), prefix))
  }
}

/** An empty list is none, since "nothing is protected" is too easily written by accident. */
function prefixes(given: readonly string[] = [], otherwise: string): string[] {
  return (given.length > 0 ? given : [otherwise]).map((prefix) => {
    if (!prefix.startsWith('/')) throw new TypeError(`The path "${prefix}" must begin with "/".`)
    return prefix.replace(/\/+$/, '')
  })
}

/** No segment is empty, of dots alone, escaped, or has a backslash. */
const PLAIN = /^(\/(?!\.{1,2}(\/|$))[^/%\\]+)*\/?$/

const isBelow = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`)
