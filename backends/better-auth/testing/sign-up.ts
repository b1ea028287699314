import { randomUUID } from 'node:crypto'
import { createAuthClient } from 'better-auth/client'
import { CookieJar } from 'tough-cookie'
import { type AuthnRequest, toAuthnRequest } from '../../request.js'

/** Where better-auth's routes are, and the origin of requests. */
export interface BetterAuthService {
  /** The origin of the service, such as `http://localhost:8094`. */
  readonly origin: string
  /** @default '/api/auth' */
  readonly basePath?: string
  /** The `User-Agent` of the browser. @default 'better-auth-test' */
  readonly userAgent?: string
}

/** A browser with the client of better-auth and a cookie jar. */
export interface BetterAuthBrowser {
  readonly client: ReturnType<typeof createAuthClient>
  /** Returns the `Cookie` header for the service. */
  cookieHeader(): Promise<string>
  /** Stores `Set-Cookie` values. */
  takeCookies(setCookies: readonly string[]): Promise<void>
  /** Fetches with its cookies, and stores those of the response. */
  fetch(target: string | URL, init?: RequestInit): Promise<Response>
  /** A request with its cookies. */
  request(): Promise<AuthnRequest>
}

/** A user who signed up. */
export interface SignedUpPerson extends BetterAuthBrowser {
  readonly userId: string
  readonly name: string
  readonly email: string
  /**
   * The credentials, in a separate object: JSON.stringify of an object with `client` calls its
   * `toJSON`, which the client proxy treats as a route to fetch.
   */
  readonly credentials: { readonly email: string; readonly password: string }
}

/** Opens a browser without a session. */
export function openBrowser(service: BetterAuthService): BetterAuthBrowser {
  const { origin, basePath = '/api/auth', userAgent = 'better-auth-test' } = service
  const jar = new CookieJar()
  const browser: BetterAuthBrowser = {
    client: createAuthClient({
      baseURL: new URL(basePath, origin).href,
      fetchOptions: {
        customFetchImpl: (input, init) =>
          browser.fetch(input instanceof Request ? input.url : input, init),
      },
    }),
    cookieHeader: () => jar.getCookieString(origin),
    async takeCookies(setCookies) {
      for (const cookie of setCookies) await jar.setCookie(cookie, origin)
    },
    async fetch(target, init = {}) {
      const headers = new Headers(init.headers)
      headers.set('user-agent', userAgent)
      headers.set('origin', origin)
      const cookie = await browser.cookieHeader()
      if (cookie) headers.set('cookie', cookie)
      const url = new URL(target, origin)
      const response = await fetch(url, { redirect: 'manual', ...init, headers })
      await browser.takeCookies(response.headers.getSetCookie())
      return response
    },
    async request() {
      const cookie = await browser.cookieHeader()
      return toAuthnRequest({ headers: { 'user-agent': userAgent, ...(cookie && { cookie }) } })
    },
  }
  return browser
}

/**
 * Signs up a new user with the client of better-auth. The browser is then signed in.
 *
 * @example
 * ```ts
 * const person = await signUp({ origin })
 * await person.fetch('/api/v1/auth/me')
 * ```
 */
export async function signUp(service: BetterAuthService): Promise<SignedUpPerson> {
  const browser = openBrowser(service)
  const id = randomUUID()
  const credentials = { email: `${id}@example.com`, password: randomUUID() }
  const name = `Person ${id}`
  const { data, error } = await browser.client.signUp.email({ ...credentials, name })
  if (!data) throw new Error(`Signing up failed: ${JSON.stringify(error)}`)
  return { ...browser, credentials, name, email: credentials.email, userId: data.user.id }
}
