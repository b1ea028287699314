import type { HeaderObject, Reference, ResponseObject } from './specification.js'

/** The response headers of the API, by their name in `components/headers`. */
export const HEADERS = {
  Allow: {
    description: 'The methods allowed at this address (RFC 9110 section 10.2.1).',
    required: true,
    schema: { type: 'string' },
    example: 'GET, HEAD, OPTIONS',
  },
  CacheControl: {
    description: 'Responses about a user must not be cached.',
    required: true,
    schema: { type: 'string', const: 'no-store', enum: ['no-store'] },
    example: 'no-store',
  },
  Challenge: {
    description: 'How to authenticate (RFC 6750 section 3).',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="https://auth.example.com"',
  },
  Location: {
    description: 'Where the browser continues, with GET.',
    required: true,
    schema: { type: 'string', format: 'uri' },
    example: 'http://localhost:8094/',
  },
  PublicCacheControl: {
    description: 'The response is public and may be cached.',
    required: true,
    schema: {
      type: 'string',
      const: 'public, max-age=300',
      enum: ['public, max-age=300'],
    },
    example: 'public, max-age=300',
  },
  RateLimit: {
    description:
      'The remaining quota of the policy with the same name: `r` requests, `t` seconds until it resets (draft-ietf-httpapi-ratelimit-headers-08).',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; r=0; t=42',
  },
  RateLimitPolicy: {
    description:
      'The quota of this route per client address: `q` requests in `w` seconds; `pk` identifies the address without revealing it.',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; q=120; w=60; pk=:OTZjZGE1NTZkYzg2:',
  },
  RequestId: {
    description:
      'Identifies the request in the log of the service. A valid X-Request-Id of the request is kept.',
    schema: { type: 'string', pattern: '^[\\w-]{1,64}$' },
    example: '5d0c8a0e-6f0b-4a55-9d4e-0c0f3f1f7a52',
  },
  RetryAfter: {
    description: 'Seconds to wait before the next attempt (RFC 9110 section 10.2.3).',
    required: true,
    schema: { type: 'integer', minimum: 0 },
    example: 2,
  },
  ClearedTransaction: {
    description: 'Clears the cookie of a transaction that this failure ended.',
    schema: { type: 'string' },
    example: '__Host-ns_txn_pGm0X1uVhXo=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure',
  },
  Vary: {
    description: 'Contains Cookie: the response depends on the caller.',
    required: true,
    schema: { type: 'string' },
    example: 'Cookie',
  },
} satisfies Record<string, HeaderObject>

/** A key of {@link HEADERS}. */
export type HeaderName = keyof typeof HEADERS

interface HeaderComponents {
  header(name: HeaderName): Reference
}

/** The headers of every response, and those of its status. */
export function headersOf(status: number, components: HeaderComponents): ResponseObject['headers'] {
  return {
    'Cache-Control': components.header('CacheControl'),
    Vary: components.header('Vary'),
    'X-Request-Id': components.header('RequestId'),
    ...(status === 303 && { Location: components.header('Location') }),
    ...(status === 405 && { Allow: components.header('Allow') }),
    ...(status === 429 && {
      RateLimit: components.header('RateLimit'),
      'RateLimit-Policy': components.header('RateLimitPolicy'),
    }),
    ...((status === 429 || status === 503) && { 'Retry-After': components.header('RetryAfter') }),
  }
}

/** The headers of a public response. */
export const publicHeaders = (components: HeaderComponents): ResponseObject['headers'] => ({
  'Cache-Control': components.header('PublicCacheControl'),
  'X-Request-Id': components.header('RequestId'),
})
