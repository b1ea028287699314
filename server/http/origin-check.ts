import type { RequestHandler } from 'express'
import { AuthError } from '../../backends/errors.js'
import { accountContractV1 } from '../../contract/account-contract.js'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const SAME_SITE_ORIGINS = new Set(['same-origin', 'none'])

/** Providers send no Origin. A signed token protects the route, and it touches no cookie. */
const EXEMPT: readonly string[] = [accountContractV1.backChannelLogout.path]

/**
 * Refuses state-changing requests from other sites. An `Origin` must be ours or listed; without one,
 * `Sec-Fetch-Site` must say same-origin or none; without either, only `application/json` passes,
 * which no page can send across origins without asking first.
 */
export function originCheck(allowedOrigins: ReadonlySet<string>): RequestHandler {
  return (req, _res, next) => {
    if (SAFE_METHODS.has(req.method) || EXEMPT.includes(req.path)) return next()
    if (isAllowed(req.headers, allowedOrigins)) return next()
    next(
      new AuthError(
        'ORIGIN_NOT_ALLOWED',
        'Send the request from the service itself or from an origin in NETSCRIPT_AUTH_CORS_ORIGINS; without an Origin header, send application/json.',
      ),
    )
  }
}

function isAllowed(
  headers: { origin?: string | undefined; 'content-type'?: string | undefined } & NodeJS.Dict<
    string | string[]
  >,
  allowedOrigins: ReadonlySet<string>,
): boolean {
  const { origin } = headers
  if (origin !== undefined && origin !== 'null') return allowedOrigins.has(origin)
  const fetchSite = headers['sec-fetch-site']
  if (fetchSite !== undefined) return SAME_SITE_ORIGINS.has(String(fetchSite))
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')
}
