import type { Principal } from '@netscript/auth-contract'

export type { Principal }

/** The part of a request that an authenticator reads: a `Request`, or one of Node or Express. */
export interface GuardRequest {
  /** Names are lower-case where they are plain data, as in Node. */
  readonly headers:
    Pick<Headers, 'get'> | Readonly<Record<string, string | readonly string[] | undefined>>
}

/** What an authenticator found out. */
export type Authentication =
  | {
      readonly ok: true
      /** Frozen: whoever asked at the same moment holds the same object. */
      readonly principal: Principal
      /** `Set-Cookie` values for the caller, byte for byte. */
      readonly setCookies: readonly string[]
    }
  | {
      readonly ok: false
      /** Nothing was sent, or what was sent is not good, or not any more. */
      readonly reason: 'credential-missing' | 'credential-invalid'
      readonly setCookies: readonly string[]
    }

/** Tells who sent a request. Identity is read from the credential and from nothing else. */
export interface Authenticator {
  /**
   * Who sent a request, or why it is nobody.
   * @throws GuardUnavailableError when it cannot be told; that is never "nobody".
   */
  authenticate(request: GuardRequest): Promise<Authentication>
  /**
   * The protection space of bearer tokens (RFC 6750 section 3), named in `WWW-Authenticate`. Absent
   * when no bearer token is taken.
   */
  readonly realm?: string
}

/** Who is calling cannot be told now: what would have to be asked is away, slow or answers nonsense. */
export class GuardUnavailableError extends Error {
  override readonly name = 'GuardUnavailableError'
  /** The code of the problem document that goes with it: 503. */
  readonly code = 'AUTH_UNAVAILABLE'
  /** `Set-Cookie` values that came all the same; the caller must have them. */
  readonly setCookies: readonly string[]
  /** Seconds after which to ask again. */
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

/** A header by its lower-case name. */
export function headerOf({ headers }: GuardRequest, name: string): string | undefined {
  if (typeof headers.get === 'function') return headers.get(name) ?? undefined
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

/** Success, with everything in it frozen. */
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
