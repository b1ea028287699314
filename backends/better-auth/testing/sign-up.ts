import { randomUUID } from 'node:crypto'
import { createAuthClient } from 'better-auth/client'
import { CookieJar } from 'tough-cookie'
import { type AuthnRequest, toAuthnRequest } from '../../request.js'

/** Where better-auth's routes are, and where its requests come from. */
export interface BetterAuthService {
  /** The origin of the service, such as `http://localhost:8094`. */
  readonly origin: string
  /** Default: `/api/auth`. */
  readonly basePath?: string
  /** The `User-Agent` of the browser. Default: `better-auth-test`. */
  readonly userAgent?: string
}

/** A browser with better-auth's own client in it, and a cookie jar. */
export interface BetterAuthBrowser {
  readonly client: ReturnType<typeof createAuthClient>
  /** The `Cookie` header that it would send to the service. */
  cookieHeader(): Promise<string>
  /** Takes `Set-Cookie` values as it would from a response. */
  takeCookies(setCookies: readonly string[]): Promise<void>
  /** Fetches from the service with its cookies, and takes those of the answer. */
  fetch(target: string | URL, init?: RequestInit): Promise<Response>
  /** The request that a page of it would send. */
  request(): Promise<AuthnRequest>
}

/** A person who signed up. */
export interface SignedUpPerson extends BetterAuthBrowser {
  readonly userId: string
  readonly name: string
  readonly email: string
  /**
   * What to sign in with. An object of its own: JSON.stringify of anything that holds `client` calls
   * its `toJSON`, which the client takes for a route and fetches.
   */
  readonly credentials: { readonly email: string; readonly password: string }
}

/** A browser in which nobody is signed in. */
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
 * Somebody new signs up at the service through better-auth's client, and is then signed in.
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
