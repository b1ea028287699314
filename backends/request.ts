/** Maximum size of a request body in bytes. */
export const BODY_LIMIT = 16 * 1024

/** Characters of a `User-Agent` header that are stored and shown. */
export const USER_AGENT_LENGTH = 256

/**
 * The part of an HTTP request that a backend may look at. Identity is read from nothing else, and
 * never from the address.
 */
export interface AuthnRequest {
  /** In capitals: `GET`. */
  readonly method: string
  /** The path of the request target, without the query. */
  readonly path: string
  /** A header by its case-insensitive name; repeated headers are joined as Node joins them. */
  header(name: string): string | undefined
  /**
   * Every value that the browser sent for a cookie, undecoded, in the order sent. A caller that
   * finds more than one takes none: somebody on a sibling domain may have planted the other.
   */
  cookies(name: string): readonly string[]
  /** The names of all cookies sent. */
  cookieNames(): readonly string[]
  /** The address of the client behind trusted proxies, to share out what is scarce. */
  readonly clientAddress?: string | undefined
}

/** The one value of a cookie, or `undefined` when there is none or more than one. */
export function singleCookie(request: AuthnRequest, name: string): string | undefined {
  const values = request.cookies(name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * The request without its headers, but for cookies and `User-Agent`: no bearer token, API key or
 * header of a proxy signs it in.
 */
export function withCookiesOnly(request: AuthnRequest): AuthnRequest {
  return {
    method: request.method,
    path: request.path,
    header: (name) => (/^(cookie|user-agent)$/i.test(name) ? request.header(name) : undefined),
    cookies: (name) => request.cookies(name),
    cookieNames: () => request.cookieNames(),
  }
}

/** The parts of a request that {@link toAuthnRequest} reads. */
export interface RequestParts {
  /** Default: `GET`. */
  method?: string | undefined
  /** The request target; authority and query are cut off. */
  url?: string | undefined
  /** By lower-case name. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The address of the client, as Express names it. Default: unknown. */
  ip?: string | undefined
}

/**
 * An {@link AuthnRequest} over the parts of a Node request (`IncomingMessage` fits as it is). The
 * `Cookie` header is parsed once, on first use.
 *
 * @example
 * ```ts
 * await backend.authenticate(toAuthnRequest({ headers: { cookie: '__Host-mine=token' } }))
 * ```
 */
export function toAuthnRequest(parts: RequestParts): AuthnRequest {
  const { method = 'GET', url = '/', headers } = parts
  let jar: Map<string, string[]> | undefined
  const parsed = (): Map<string, string[]> => (jar ??= parseCookies(header('cookie')))
  const header = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()]
    return typeof value === 'string' ? value : value?.join(', ')
  }
  return {
    method,
    path: pathOf(url),
    header,
    cookies: (name) => parsed().get(name) ?? [],
    cookieNames: () => [...parsed().keys()],
    // Express works it out on each access, and most requests need none.
    get clientAddress() {
      return parts.ip
    },
  }
}

/**
 * A request target as path and query. In the absolute form (RFC 9112 section 3.2.2) the caller
 * chooses the authority, so nothing may depend on it.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The path of a request target, without the query. */
export function pathOf(target: string): string {
  return originForm(target).split('?', 1)[0] ?? ''
}

const PREFETCH_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']

/**
 * Whether a browser fetches ahead of a navigation that may never come. Such a request must take nothing
 * that works once; 503 makes the browser discard the answer and ask again on the navigation.
 */
export function isPrefetch(headers: RequestParts['headers']): boolean {
  return PREFETCH_HEADERS.some((name) =>
    /(^|[\s,;])(prefetch|prerender|preview)($|[\s,;])/i.test(String(headers[name] ?? '')),
  )
}

/** RFC 6265 section 5.4 in reverse. Values stay as they were sent: our own need no decoding. */
function parseCookies(header: string | undefined): Map<string, string[]> {
  const jar = new Map<string, string[]>()
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0)).trim()
    if (name === '') continue
    const value = pair.slice(equals + 1).trim()
    const values = jar.get(name)
    if (values) values.push(value)
    else jar.set(name, [value])
  }
  return jar
}
