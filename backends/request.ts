import type { PendingRateLimit } from './rate-limit-store.js'

/** Maximum size of a request body in bytes. */
export const BODY_LIMIT = 16 * 1024

/** Maximum number of characters of a `User-Agent` header that are stored and shown. */
export const USER_AGENT_LENGTH = 256

/**
 * The parts of an HTTP request that a backend may read. Identity comes from nothing else, and never
 * from the client address.
 */
export interface AuthnRequest {
  /** In upper case: `GET`. */
  readonly method: string
  /** The path of the request target, without the query. */
  readonly path: string
  /** Returns a header; the name is case-insensitive. Repeated headers are joined as in Node. */
  header(name: string): string | undefined
  /**
   * Returns every value of a cookie, undecoded, in the order sent. When there is more than one, use
   * none of them: a sibling domain may have planted the other (cookie tossing).
   */
  cookies(name: string): readonly string[]
  /** Returns the names of all cookies. */
  cookieNames(): readonly string[]
  /** The client address behind trusted proxies, to share scarce resources fairly. */
  readonly clientAddress?: string | undefined
  /**
   * The rate limit of the request, for backends whose interactive flow `chargesRateLimit`: each of its
   * calls charges it once. @default the limit was charged before, or there is none
   */
  readonly rateLimit?: PendingRateLimit | undefined
}

/** Returns the value of a cookie; `undefined` when it was sent never or more than once. */
export function singleCookie(request: AuthnRequest, name: string): string | undefined {
  const values = request.cookies(name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * The request with only its cookies and `User-Agent`, so that no bearer token, API key or proxy
 * header can authenticate it.
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
  /** @default 'GET' */
  method?: string | undefined
  /** The request target; authority and query are removed. @default '/' */
  url?: string | undefined
  /** Headers by lower-case name. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The client address, as in Express. @default unknown */
  ip?: string | undefined
  /** The rate limit of the request. @default it was charged before, or there is none */
  rateLimit?: PendingRateLimit | undefined
}

/**
 * Creates an {@link AuthnRequest} from the parts of a Node request, such as an `IncomingMessage`. The
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
    clientAddress: parts.ip,
    rateLimit: parts.rateLimit,
  }
}

/**
 * Reduces a request target to path and query. In absolute form (RFC 9112 section 3.2.2) the caller
 * chooses the authority, so it must not be trusted.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Returns the path of a request target, without the query. */
export function pathOf(target: string): string {
  const path = originForm(target)
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}

const PREFETCH_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz']

/**
 * Whether a request is a prefetch, for a navigation that may never happen. It must not consume
 * anything single-use; a 503 makes the browser discard the response and repeat the request on the
 * navigation.
 */
export function isPrefetch(headers: RequestParts['headers']): boolean {
  return PREFETCH_HEADERS.some((name) =>
    /(^|[\s,;])(prefetch|prerender|preview)($|[\s,;])/i.test(String(headers[name] ?? '')),
  )
}

/** Parses a `Cookie` header (RFC 6265 section 5.4). Values are not decoded: ours need no encoding. */
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
