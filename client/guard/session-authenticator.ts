import type { Fetch } from '@netscript/auth-client'
import { createSharedQuestions, ROUTES } from '@netscript/auth-client/internal'
import { mapSessionToPrincipal, SessionResponse } from '@netscript/auth-contract'
import {
  authenticated,
  type Authentication,
  type Authenticator,
  type GuardRequest,
  GuardUnavailableError,
  headerOf,
} from './authenticator.js'

/** Options of {@link createSessionAuthenticator}. */
export interface SessionAuthenticatorOptions {
  /** URL of the authentication service, such as `https://auth.example.com`. */
  baseUrl: string
  /** Time limit of an authentication, in milliseconds. @default 2000 */
  timeoutMs?: number
  /**
   * Names of the cookies to forward; a name that ends in `*` is a prefix. Set it when the service
   * has its own `NETSCRIPT_AUTH_COOKIE_NAME` or `WORKOS_COOKIE_NAME`.
   * @default the cookies of the three backends
   */
  cookies?: readonly string[]
  /**
   * Caches a session for this long, in milliseconds. A revocation is noticed that much later.
   * @default 0: no cache
   */
  cacheForMs?: number
  /** Maximum number of cached sessions. @default 1000 */
  cacheMaxEntries?: number
  /** @default globalThis.fetch */
  fetch?: Fetch
}

/**
 * Creates an authenticator that forwards the caller's session cookie or bearer token, and nothing
 * else, to the authentication service. Concurrent requests with the same credential share a call
 * that has not been sent yet, never one in flight: without a cache, every result is newer than the
 * request.
 *
 * @throws TypeError when `baseUrl` is not an http or https URL.
 *
 * @example
 * ```ts
 * const authenticator = createSessionAuthenticator({ baseUrl: 'https://auth.example.com' })
 * const who = await authenticator.authenticate(request)
 * if (who.ok) who.principal.subject // the user id
 * ```
 */
export function createSessionAuthenticator(options: SessionAuthenticatorOptions): Authenticator {
  const { timeoutMs = 2_000, cookies = AUTH_COOKIES, cacheForMs = 0 } = options
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options
  const url = sessionUrl(options.baseUrl)
  const share = createSharedQuestions<Authentication>()
  const cache = cacheForMs > 0 ? createAnswerCache(options.cacheMaxEntries ?? 1_000) : undefined

  async function ask(credential: Credential, signal: AbortSignal): Promise<Authentication> {
    const askedAt = performance.now()
    const { authentication, livesForMs } = await askSession(
      (init) => fetch(url.href, { ...init, signal }),
      credential,
    )
    // A response that rotates the cookie must not be reused for requests with the old cookie.
    if (authentication.ok && authentication.setCookies.length === 0) {
      const until = askedAt + Math.min(cacheForMs, livesForMs)
      await cache?.set(credentialKey(credential), authentication, until)
    }
    return authentication
  }

  return {
    realm: url.origin,
    async authenticate(request) {
      const credential = credentialOf(request, cookies)
      if (!credential) return { ok: false, reason: 'credential-missing', setCookies: [] }
      const key = credentialKey(credential)
      const known = await cache?.get(key)
      if (known) return known
      // A joined call may still wait for the one in flight: bound the total wait of this caller.
      return withinTime(timeoutMs, () =>
        share(key, () => withinTime(timeoutMs, (signal) => ask(credential, signal))),
      )
    },
  }
}

function sessionUrl(baseUrl: string): URL {
  const url = new URL(baseUrl.replace(/\/+$/, '') + ROUTES.session.path)
  if (/^https?:$/.test(url.protocol)) return url
  throw new TypeError('baseUrl must be an http or https URL, such as https://auth.example.com.')
}

async function askSession(
  send: (init: RequestInit) => Promise<Response>,
  credential: Credential,
): Promise<{ authentication: Authentication; livesForMs: number }> {
  const response = await send({
    headers: { ...credential, accept: 'application/json' },
    // Never send the credential to the target of a redirect.
    redirect: 'manual',
  }).catch((cause: unknown) => {
    throw new GuardUnavailableError('The authentication service is unreachable.', { cause })
  })
  const setCookies = response.headers.getSetCookie()
  const unavailable = (message: string, cause?: unknown): GuardUnavailableError =>
    new GuardUnavailableError(message, { setCookies, retryAfterSeconds: waitOf(response), cause })
  const body: unknown = await response.json().catch((cause: unknown) => {
    throw unavailable(
      `The authentication service responded with status ${response.status} without JSON.`,
      cause,
    )
  })
  if (response.status !== 200) {
    throw unavailable(`The authentication service responded with status ${response.status}.`)
  }
  const { data: answer, error } = SessionResponse.safeParse(body)
  if (!answer) throw unavailable('The authentication service returned an unexpected body.', error)
  if (!answer.authenticated || answer.session.state !== 'active') {
    const refused = { ok: false, reason: 'credential-invalid', setCookies } as const
    return { authentication: refused, livesForMs: 0 }
  }
  const { session } = answer
  const scheme = credential.cookie === undefined ? 'bearer' : 'custom'
  return {
    authentication: authenticated({ ...mapSessionToPrincipal(session), scheme }, setCookies),
    livesForMs: Date.parse(session.expiresAt) - Date.now(),
  }
}

function waitOf({ headers }: Response): number | undefined {
  const value = headers.get('retry-after') ?? ''
  return /^\d{1,4}$/.test(value) ? Number(value) : undefined
}

/** Unlike with `AbortSignal.timeout`, no timer is left once the operation has ended. */
async function withinTime<T>(
  ms: number,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new GuardUnavailableError('The authentication service timed out.'))
      controller.abort()
    }, ms)
  })
  try {
    return await Promise.race([operation(controller.signal), over])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A cache of answers, of which the oldest is evicted when there are more than `maxEntries`. Keys are
 * SHA-256 hashes of the credentials, so that it holds no credential.
 */
function createAnswerCache(maxEntries: number) {
  const entries = new Map<string, { answer: Authentication; until: number }>()
  return {
    async get(credential: string): Promise<Authentication | undefined> {
      const key = await hash(credential)
      const entry = entries.get(key)
      if (entry && performance.now() < entry.until) return entry.answer
      entries.delete(key)
      return undefined
    },
    /** `until` is an instant of `performance.now()`, in milliseconds. */
    async set(credential: string, answer: Authentication, until: number): Promise<void> {
      const key = await hash(credential)
      entries.delete(key)
      entries.set(key, { answer, until })
      const [oldest] = entries.keys()
      if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest)
    },
  }
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return String.fromCharCode(...new Uint8Array(digest))
}

/** The credential of a request, exactly as sent. */
interface Credential {
  /** Name-value pairs of auth cookies, undecoded, in the order sent, duplicates included. */
  readonly cookie?: string
  /** The `Authorization` header if its scheme is Bearer. */
  readonly authorization?: string
}

/** Default cookie names of the three backends. */
const AUTH_COOKIES: readonly string[] = [
  '__Host-ns_session',
  'wos-session',
  'better-auth.*',
  '__Secure-better-auth.*',
]

/**
 * The credential of a request; `undefined` when there is none. Nothing else is forwarded: other
 * cookies and other `Authorization` schemes may be secrets of another system.
 *
 * @param names Cookie names; a name that ends in `*` is a prefix.
 */
function credentialOf(request: GuardRequest, names: readonly string[]): Credential | undefined {
  const cookie = (headerOf(request, 'cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => isNamed(pair.split('=', 1)[0]?.trim() ?? '', names))
    .join('; ')
  const header = headerOf(request, 'authorization')
  const authorization = header !== undefined && /^Bearer(\s|$)/i.test(header) ? header : undefined
  if (cookie === '' && authorization === undefined) return undefined
  return { ...(cookie !== '' && { cookie }), ...(authorization !== undefined && { authorization }) }
}

const isNamed = (name: string, names: readonly string[]): boolean =>
  names.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one))

/** A unique key of a credential. Unambiguous, because a header cannot contain a line break. */
const credentialKey = ({ cookie = '', authorization = '' }: Credential): string =>
  `${cookie}\n${authorization}`
