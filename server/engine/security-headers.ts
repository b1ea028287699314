import type { HeaderField } from './message.js'

/** Options of {@link securityHeaders}. */
interface SecurityHeadersOptions {
  /** The service's own origin. */
  origin: string
  /** URLs of providers; http ones must be listed in the policy. @default [] */
  providerUrls?: readonly string[]
}

/**
 * Security headers for pages and API responses, the same for every request. Chromium applies
 * `form-action` to every hop of the redirect that follows a form post: https providers are allowed by
 * scheme, http ones (local development) by host on any port, since a provider may redirect again.
 */
export function securityHeaders({
  origin,
  providerUrls = [],
}: SecurityHeadersOptions): readonly HeaderField[] {
  const isHttps = origin.startsWith('https:')
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    ["form-action 'self' https:", ...httpHosts(providerUrls)].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(isHttps ? ['upgrade-insecure-requests'] : []),
  ]
  return [
    ['Content-Security-Policy', policy.join(';')],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Resource-Policy', 'same-site'],
    ['Referrer-Policy', 'same-origin'],
    ...(isHttps ? [['Strict-Transport-Security', 'max-age=31536000'] as const] : []),
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'DENY'],
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
