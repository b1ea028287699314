import { CookieJar } from 'tough-cookie'

/** A browser without a screen: a strict cookie jar, and redirects that are looked at one by one. */
export interface UserAgent {
  readonly jar: CookieJar
  fetch(url: string, init?: RequestInit): Promise<Response>
  /** POSTs JSON. */
  post(url: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
  cookies(url: string): Promise<Record<string, string>>
}

/** A {@link UserAgent} for URLs relative to `baseUrl`. */
export function createUserAgent(baseUrl: string): UserAgent {
  const jar = new CookieJar(undefined, { prefixSecurity: 'strict', rejectPublicSuffixes: false })
  const agent: UserAgent = {
    jar,
    async fetch(target, init = {}) {
      const url = new URL(target, baseUrl).href
      const headers = new Headers(init.headers)
      const cookie = await jar.getCookieString(asPotentiallyTrustworthy(url))
      if (cookie && !headers.has('cookie')) headers.set('cookie', cookie)
      const response = await fetch(url, { redirect: 'manual', ...init, headers })
      for (const line of response.headers.getSetCookie()) {
        await jar.setCookie(line, asPotentiallyTrustworthy(url))
      }
      return response
    },
    post: (target, body = {}, headers = {}) =>
      agent.fetch(target, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async cookies(target) {
      const url = asPotentiallyTrustworthy(new URL(target, baseUrl).href)
      const cookies = await jar.getCookies(url)
      return Object.fromEntries(cookies.map(({ key, value }) => [key, value]))
    },
  }
  return agent
}

/** Chromium and Firefox treat http on loopback as secure for cookies; the jar knows https only. */
function asPotentiallyTrustworthy(url: string): string {
  const parsed = new URL(url)
  if (['localhost', '127.0.0.1'].includes(parsed.hostname)) parsed.protocol = 'https:'
  return parsed.href
}
