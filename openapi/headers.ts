import type { HeaderObject, Reference, ResponseObject } from './specification.js'

/** The response headers of the API, each under the name that it has in `components/headers`. */
export const HEADERS = {
  Allow: {
    description: 'The methods that this address takes (RFC 9110 section 10.2.1).',
    required: true,
    schema: { type: 'string' },
    example: 'GET, HEAD, OPTIONS',
  },
  CacheControl: {
    description: 'Nothing about a person is kept by a cache.',
    required: true,
    schema: { type: 'string', const: 'no-store', enum: ['no-store'] },
    example: 'no-store',
  },
  Challenge: {
    description: 'How to say who is calling (RFC 6750 section 3).',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="https://auth.example.com"',
  },
  Location: {
    description: 'Where the browser goes on, with GET.',
    required: true,
    schema: { type: 'string', format: 'uri' },
    example: 'http://localhost:8094/',
  },
  PublicCacheControl: {
    description: 'It is the same for everybody and may be kept.',
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
      'What is left of the policy of the same name: `r` requests, `t` seconds until it starts anew (draft-ietf-httpapi-ratelimit-headers-08).',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; r=0; t=42',
  },
  RateLimitPolicy: {
    description:
      'The limit of this route for an address: `q` requests in `w` seconds; `pk` names the address without telling it.',
    required: true,
    schema: { type: 'string' },
    example: '"signin"; q=120; w=60; pk=:OTZjZGE1NTZkYzg2:',
  },
  RequestId: {
    description: 'Names the request in the log of the service. An X-Request-Id of yours is kept.',
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
    description: 'Contains Cookie: another caller gets another answer.',
    required: true,
    schema: { type: 'string' },
    example: 'Cookie',
  },
} satisfies Record<string, HeaderObject>

/** A key of {@link HEADERS}. */
export type HeaderName = keyof typeof HEADERS

/** Where headers become components. */
interface HeaderComponents {
  header(name: HeaderName): Reference
}

/** What every answer carries, and what its status calls for. */
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

/** What an answer carries that is the same for everybody. */
export const publicHeaders = (components: HeaderComponents): ResponseObject['headers'] => ({
  'Cache-Control': components.header('PublicCacheControl'),
  'X-Request-Id': components.header('RequestId'),
})
