import type { Fetch } from '@netscript/auth-client'
import { createSharedQuestions, ROUTES } from '@netscript/auth-client/internal'
import { mapSessionToPrincipal, SessionResponse } from '@netscript/auth-contract'
import { createAnswerCache } from './answer-cache.js'
import {
  authenticated,
  type Authentication,
  type Authenticator,
  GuardUnavailableError,
} from './authenticator.js'
import { AUTH_COOKIES, type Credential, credentialKey, credentialOf } from './credential.js'

/** Options of {@link createSessionAuthenticator}. */
export interface SessionAuthenticatorOptions {
  /** Where the authentication service is, such as `https://auth.example.com`. */
  baseUrl: string
  /** How long a caller waits for its answer, in milliseconds. Default: 2000. */
  timeoutMs?: number
  /**
   * Cookies to pass on; a name that ends in `*` is how names begin. Default: those of the three
   * backends. Set it when NETSCRIPT_AUTH_COOKIE_NAME or `WORKOS_COOKIE_NAME` is set there.
   */
  cookies?: readonly string[]
  /**
   * Takes an answer for true for this long, in milliseconds, and so sees a revocation as much later.
   * Default: 0, every request is asked for.
   */
  cacheForMs?: number
  /** How many answers are kept at most. Default: 1000. */
  cacheMaxEntries?: number
  /** Default: the global fetch. */
  fetch?: Fetch
}

/**
 * Tells who is calling by asking the authentication service with the caller's own cookie or bearer
 * token, and nothing else of the request. Requests with the same credential share a question that
 * was not sent yet, never one that is under way: every answer is newer than the request.
 *
 * @throws TypeError when `baseUrl` is no http or https URL.
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
  const cache =
    cacheForMs > 0
      ? createAnswerCache<Authentication>({ maxEntries: options.cacheMaxEntries ?? 1_000 })
      : undefined

  async function ask(credential: Credential): Promise<Authentication> {
    const askedAt = performance.now()
    const { authentication, livesForMs } = await askSession(
      (init) => fetch(url.href, { ...init, signal: AbortSignal.timeout(timeoutMs) }),
      credential,
    )
    // An answer with a new cookie is not for those who come later with the old one.
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
      // Who joins a question that waits for another does not wait for both.
      return withinTime(
        timeoutMs,
        share(key, () => withinTime(timeoutMs, ask(credential))),
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
    // Wherever a redirect leads, the credential is not for it.
    redirect: 'manual',
  }).catch((cause: unknown) => {
    throw new GuardUnavailableError('The authentication service does not answer.', { cause })
  })
  const setCookies = response.headers.getSetCookie()
  const unavailable = (message: string, cause?: unknown): GuardUnavailableError =>
    new GuardUnavailableError(message, { setCookies, retryAfterSeconds: waitOf(response), cause })
  const body: unknown = await response.json().catch((cause: unknown) => {
    throw unavailable(`The authentication service answered ${response.status} without JSON.`, cause)
  })
  if (response.status !== 200) {
    throw unavailable(`The authentication service answered ${response.status}.`)
  }
  const { data: answer, error } = SessionResponse.safeParse(body)
  if (!answer) throw unavailable('The authentication service answered something else.', error)
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

/** The answer, or that there was none in time. */
async function withinTime<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new GuardUnavailableError('The authentication service did not answer in time.'))
    }, ms)
  })
  try {
    return await Promise.race([answer, over])
  } finally {
    clearTimeout(timer)
  }
}
