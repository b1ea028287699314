import { headersOf, isRequest, type TestFetch } from './engine-fetch.js'

/** A browser without a page: it keeps cookies and follows redirects of the API. */
export interface TestBrowser {
  /** The `Cookie` header that it would send now; empty without cookies. */
  readonly cookie: string
  /** Sends a request of a page of this origin, with the cookies, and stores those of the response. */
  readonly fetch: TestFetch
  /**
   * Navigates to a URL and follows redirects while they lead to the API, as from the `redirectUrl` of a
   * sign-in. Returns the address where it ends.
   */
  open(url: string): Promise<string>
}

/** Redirects that a browser follows. */
const MAX_REDIRECTS = 10

export function createTestBrowser(
  send: TestFetch,
  {
    origin,
    serves,
    cookies = [],
  }: { origin: string; serves: (path: string) => boolean; cookies?: readonly string[] },
): TestBrowser {
  const jar = new Map<string, string>()
  const store = (setCookies: readonly string[]): void => {
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const name = pair.slice(0, pair.indexOf('='))
      if (attributes.some((one) => /^max-age=0$/i.test(one))) jar.delete(name)
      else jar.set(name, pair.slice(name.length + 1))
    }
  }
  store(cookies)
  const cookieHeader = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')

  const fetch: TestFetch = async (input, init = {}) => {
    const given = isRequest(input) ? input : undefined
    const headers = headersOf(init.headers ?? given?.headers)
    const method = (init.method ?? given?.method ?? 'GET').toUpperCase()
    delete headers.cookie
    if (jar.size > 0) headers.cookie = cookieHeader()
    if (method !== 'GET' && method !== 'HEAD') headers.origin ??= origin
    const response = await send(input, { ...init, headers })
    store(response.headers.getSetCookie())
    return response
  }

  return {
    get cookie() {
      return cookieHeader()
    },
    fetch,
    async open(address) {
      let url = new URL(address, origin)
      for (let hops = 0; url.origin === origin && serves(url.pathname); hops += 1) {
        if (hops === MAX_REDIRECTS) throw new Error(`${address} redirects too often.`)
        const response = await fetch(url, { headers: { accept: 'text/html' } })
        const location = response.headers.get('location')
        if (location === null) break
        url = new URL(location, url)
      }
      return url.href
    },
  }
}
