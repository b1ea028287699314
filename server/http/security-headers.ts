import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { AUTH_PATH_PREFIX } from '../../contract/auth-contract.js'

/** Options of {@link securityHeaders}. */
export interface SecurityHeadersOptions {
  /** The service's own origin. */
  origin: string
  /** Addresses of providers; http ones must be named to the browser. Default: none. */
  providerUrls?: readonly string[]
}

/**
 * Security headers for pages and API answers. Chromium applies `form-action` to every hop of the
 * redirect that follows a form post: https providers are covered by the scheme, http ones (local
 * development) by their host on any port, since a provider may redirect once more.
 */
export function securityHeaders({
  origin,
  providerUrls = [],
}: SecurityHeadersOptions): RequestHandler[] {
  const https = origin.startsWith('https:')
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: ["'self'"],
          scriptSrc: ["'self'"],
          connectSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          formAction: ["'self'", 'https:', ...httpHosts(providerUrls)],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
          ...(https && { upgradeInsecureRequests: [] }),
        },
      },
      strictTransportSecurity: https && { maxAge: 31_536_000, includeSubDomains: false },
      frameguard: { action: 'deny' },
      referrerPolicy: { policy: 'same-origin' },
      crossOriginResourcePolicy: { policy: 'same-site' },
    }),
    (req, res, next) => {
      // The URL of a callback carries a code: it must not be told to anybody (RFC 9700 section 4.2).
      if (req.path === `${AUTH_PATH_PREFIX}/callback`) {
        res.setHeader('Referrer-Policy', 'no-referrer')
      }
      next()
    },
  ]
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

function httpHosts(urls: readonly string[]): string[] {
  const hosts = urls
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === 'http:')
    .flatMap(({ hostname }) => (LOOPBACK.has(hostname) ? ['localhost', '127.0.0.1'] : [hostname]))
  return [...new Set(hosts)].map((host) => `http://${host}:*`)
}
