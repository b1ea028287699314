import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'

/** Headers in the order in which they are sent. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** Options of {@link securityHeaders}. */
export interface SecurityHeadersOptions {
  /** The service's own origin. */
  origin: string
  /** Addresses of providers; http ones must be named to the browser. Default: none. */
  providerUrls?: readonly string[]
}

/**
 * Security headers for pages and API answers. They are the same for every request, so they are made
 * once. Chromium applies `form-action` to every hop of the
 * redirect that follows a form post: https providers are covered by the scheme, http ones (local
 * development) by their host on any port, since a provider may redirect once more.
 */
export function securityHeaders({ origin, providerUrls = [] }: SecurityHeadersOptions): HeaderList {
  const https = origin.startsWith('https:')
  const setHeaders = helmet({
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
    // Of no effect in a browser of today, or, under this policy, at all.
    dnsPrefetchControl: false,
    ieNoOpen: false,
    originAgentCluster: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  })
  const request = new IncomingMessage(new Socket())
  // The types of Node know the method on a request only.
  const response = new ServerResponse(request) as ServerResponse & { getRawHeaderNames(): string[] }
  setHeaders(request, response, (error) => {
    if (error instanceof Error) throw error
  })
  return response.getRawHeaderNames().map((name) => [name, String(response.getHeader(name))])
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

function httpHosts(urls: readonly string[]): string[] {
  const hosts = urls
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === 'http:')
    .flatMap(({ hostname }) => (LOOPBACK.has(hostname) ? ['localhost', '127.0.0.1'] : [hostname]))
  return [...new Set(hosts)].map((host) => `http://${host}:*`)
}
