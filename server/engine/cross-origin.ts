import { AuthError } from '../../backends/errors.js'
import { accountContractV1 } from '../../contract/account-contract.js'
import { mediaType } from './body.js'
import type { EngineRequest, HeaderField } from './message.js'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const SAME_SITE = new Set(['same-origin', 'none'])

/** Providers send no Origin. A signed token protects the route, and it touches no cookie. */
const EXEMPT: readonly string[] = [accountContractV1.backChannelLogout.path]

/**
 * Refuses state-changing requests from other sites. An `Origin` must be allowed; without one,
 * `Sec-Fetch-Site` must say same-origin or none; without either, only `application/json` passes,
 * which no page can send across origins without a preflight.
 *
 * @throws AuthError `ORIGIN_NOT_ALLOWED`
 */
export function checkOrigin(
  { method, headers }: Pick<EngineRequest, 'method' | 'headers'>,
  path: string,
  allowed: ReadonlySet<string>,
): void {
  if (SAFE_METHODS.has(method) || EXEMPT.includes(path)) return
  if (isAllowed(headers, allowed)) return
  throw new AuthError(
    'ORIGIN_NOT_ALLOWED',
    'Send the request from the service itself or from an allowed origin; without an Origin header, send application/json.',
  )
}

function isAllowed(headers: EngineRequest['headers'], allowed: ReadonlySet<string>): boolean {
  const { origin } = headers
  if (origin !== undefined && origin !== 'null') return allowed.has(String(origin))
  const fetchSite = headers['sec-fetch-site']
  if (fetchSite !== undefined) return SAME_SITE.has(String(fetchSite))
  return mediaType(headers['content-type'] as string | undefined) === 'application/json'
}

const EXPOSED = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy'

/** Headers that let pages of the listed origins read a response (Fetch, section 3.2). */
export function corsHeaders(
  { headers: { origin } }: Pick<EngineRequest, 'headers'>,
  corsOrigins: ReadonlySet<string>,
): readonly HeaderField[] {
  if (corsOrigins.size === 0) return []
  if (origin === undefined || !corsOrigins.has(String(origin))) return [['Vary', 'Origin']]
  return [
    ['Access-Control-Allow-Origin', String(origin)],
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Expose-Headers', EXPOSED],
  ]
}

/** The answer to a preflight from a listed origin; `undefined` when the request is none. */
export function preflightHeaders(
  { method, headers }: Pick<EngineRequest, 'method' | 'headers'>,
  methods: readonly string[],
  corsOrigins: ReadonlySet<string>,
): readonly HeaderField[] | undefined {
  const { origin, 'access-control-request-headers': wanted } = headers
  const isPreflight = method === 'OPTIONS' && 'access-control-request-method' in headers
  if (!isPreflight || !corsOrigins.has(String(origin))) return undefined
  return [
    ['Access-Control-Allow-Methods', methods.join(', ')],
    ['Vary', 'Access-Control-Request-Headers'],
    ...(wanted === undefined ? [] : [['Access-Control-Allow-Headers', String(wanted)] as const]),
  ]
}
