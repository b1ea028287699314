import { protocolContractV1, serviceContractV1 } from '@netscript/auth-contract'
import { AuthError } from '@netscript/plugin-auth-core'
import { isLoopback } from '../config/loopback.js'
import type { Logger } from '../log.js'
import { FORM_TYPE, JSON_TYPE, mediaType } from './body.js'
import type { EngineRequest, HeaderField } from './message.js'

/** Methods that change nothing. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const SAME_SITE = new Set(['same-origin', 'none'])

/** Providers send no Origin. A signed token protects this route, which uses no cookies. */
const EXEMPT: readonly string[] = [protocolContractV1.backChannelLogout.path]

/** Only for servers: a browser sends `Origin`, and `Sec-Fetch-Site` unless it is old. */
const FOR_SERVERS: readonly string[] = [serviceContractV1.providerToken.path]

/** A set of origins, compared exactly. */
export type Origins = Pick<ReadonlySet<string>, 'has'>

/** Maximum number of loopback origins that are logged. */
const LOGGED_ORIGINS = 20

/**
 * The listed origins plus any loopback origin, such as a frontend's dev server; those are logged. For
 * `netscript dev` only.
 */
export function withLoopback(listed: Origins, own: string, logger: Logger): Origins {
  const seen = new Set([own])
  return {
    has(origin) {
      if (listed.has(origin)) return true
      if (!isLoopback(origin)) return false
      if (!seen.has(origin) && seen.size <= LOGGED_ORIGINS) {
        seen.add(origin)
        logger.info(
          `Accepting requests from pages on ${origin}: "netscript dev" with the local provider accepts this machine. Elsewhere list it in NETSCRIPT_AUTH_CORS_ORIGINS.`,
        )
      }
      return true
    },
  }
}

/**
 * Refuses state-changing requests from other sites. An `Origin` must be allowed; without one,
 * `Sec-Fetch-Site` must say same-origin or none; without either, only `application/json` passes, which no
 * page can send across origins without a preflight.
 *
 * @throws AuthError `ORIGIN_NOT_ALLOWED`; `UNSUPPORTED_MEDIA_TYPE` for a body of another type that cannot
 * come from a page
 */
export function checkOrigin(
  { method, headers, hasBody }: Pick<EngineRequest, 'method' | 'headers' | 'hasBody'>,
  path: string,
  allowed: Origins,
): void {
  if (SAFE_METHODS.has(method) || EXEMPT.includes(path)) return
  const { origin, 'sec-fetch-site': fetchSite } = headers
  if (FOR_SERVERS.includes(path)) {
    if (origin === undefined && (fetchSite === undefined || fetchSite === 'none')) return
    throw new AuthError('ORIGIN_NOT_ALLOWED', 'Only servers may send this request, not a page.')
  }
  if (origin !== undefined && origin !== 'null') {
    if (allowed.has(String(origin))) return
    throw refusal(String(origin))
  }
  if (fetchSite !== undefined) {
    if (SAME_SITE.has(String(fetchSite))) return
    throw refusal('another site')
  }
  const type = mediaType(headers['content-type'] as string | undefined)
  if (type === JSON_TYPE) return
  // A form may come from a browser that sends neither header; any other type is a client's mistake.
  if (method === 'POST' && hasBody && type !== FORM_TYPE) {
    throw new AuthError('UNSUPPORTED_MEDIA_TYPE', `Send ${JSON_TYPE}.`)
  }
  throw new AuthError('ORIGIN_NOT_ALLOWED', `Send ${JSON_TYPE}, or the Origin of your page.`)
}

/** The cause goes to the log only: the user cannot change a setting. */
function refusal(origin: string): AuthError {
  return new AuthError(
    'ORIGIN_NOT_ALLOWED',
    'This page may not use the sign-in service. Open the application and start there.',
    {
      cause: new Error(
        `A page on ${origin.slice(0, 200)} sent the request. To allow it, list its origin in NETSCRIPT_AUTH_CORS_ORIGINS (corsOrigins of the API).`,
      ),
    },
  )
}

const EXPOSED = 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy'

/** CORS headers that let pages of the listed origins read a response (Fetch, section 3.2). */
export function corsHeaders(
  { headers: { origin } }: Pick<EngineRequest, 'headers'>,
  corsOrigins: Origins | undefined,
): readonly HeaderField[] {
  if (!corsOrigins) return []
  if (origin === undefined || !corsOrigins.has(String(origin))) return [['Vary', 'Origin']]
  return [
    ['Access-Control-Allow-Origin', String(origin)],
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Expose-Headers', EXPOSED],
  ]
}

/** The response to a preflight from a listed origin; `undefined` for any other request. */
export function preflightHeaders(
  { method, headers }: Pick<EngineRequest, 'method' | 'headers'>,
  methods: readonly string[],
  corsOrigins: Origins | undefined,
): readonly HeaderField[] | undefined {
  const { origin, 'access-control-request-headers': wanted } = headers
  const isPreflight = method === 'OPTIONS' && 'access-control-request-method' in headers
  if (!isPreflight || !corsOrigins?.has(String(origin))) return undefined
  return [
    ['Access-Control-Allow-Methods', methods.join(', ')],
    ['Vary', 'Access-Control-Request-Headers'],
    ...(wanted === undefined ? [] : [['Access-Control-Allow-Headers', String(wanted)] as const]),
  ]
}
