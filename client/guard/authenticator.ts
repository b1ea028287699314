import type { Principal } from '@netscript/auth-contract'

export type { Principal }

/** The part of a request that an authenticator reads: a `Request`, or one of Node or Express. */
export interface GuardRequest {
  /** A `Headers` object, or a plain object with lower-case names, as in Node. */
  readonly headers:
    Pick<Headers, 'get'> | Readonly<Record<string, string | readonly string[] | undefined>>
}

/** The result of an authentication. */
export type Authentication =
  | {
      readonly ok: true
      /** Frozen, because concurrent requests share it. */
      readonly principal: Principal
      /** `Set-Cookie` values to pass on to the caller unchanged. */
      readonly setCookies: readonly string[]
    }
  | {
      readonly ok: false
      /** No credential was sent, or it is invalid, expired or revoked. */
      readonly reason: 'credential-missing' | 'credential-invalid'
      readonly setCookies: readonly string[]
    }

/** Authenticates requests. The identity comes from the credential alone. */
export interface Authenticator {
  /**
   * Authenticates the caller of a request.
   * @throws GuardUnavailableError during an outage, which is never reported as unauthenticated.
   */
  authenticate(request: GuardRequest): Promise<Authentication>
  /**
   * The `realm` of `WWW-Authenticate` (RFC 6750 section 3). Absent when bearer tokens are not
   * accepted.
   */
  readonly realm?: string
}

/** The caller cannot be authenticated: the issuer is unreachable, timed out or responded unexpectedly. */
export class GuardUnavailableError extends Error {
  override readonly name = 'GuardUnavailableError'
  /** The code of the problem document, which has status 503. */
  readonly code = 'AUTH_UNAVAILABLE'
  /** `Set-Cookie` values of the failed response; pass them on to the caller. */
  readonly setCookies: readonly string[]
  /** Seconds to wait before a retry, for `Retry-After`. */
  readonly retryAfterSeconds: number

  constructor(
    message: string,
    options: {
      cause?: unknown
      setCookies?: readonly string[]
      retryAfterSeconds?: number | undefined
    } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.setCookies = options.setCookies ?? []
    this.retryAfterSeconds = options.retryAfterSeconds ?? 2
  }
}

/** Reads a header; `name` is lower-case. */
export function headerOf({ headers }: GuardRequest, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

/** A successful authentication, deeply frozen. */
export function authenticated(
  principal: Principal,
  setCookies: readonly string[] = [],
): Authentication {
  return freeze({ ok: true, principal, setCookies })
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  Object.values(value).forEach(freeze)
  return Object.freeze(value)
}
