/** Cookies and local storage as Playwright takes them: `browser.newContext({ storageState })`. */
export interface StorageState {
  readonly cookies: {
    name: string
    value: string
    domain: string
    path: string
    /** Seconds since the epoch. */
    expires: number
    httpOnly: boolean
    secure: boolean
    sameSite: 'Strict' | 'Lax' | 'None'
  }[]
  readonly origins: {
    origin: string
    localStorage: { name: string; value: string }[]
  }[]
}

/** The cookies of a `Cookie` header, for the host of a URL. */
export function storageStateOf(cookie: string, url: string, expires: number): StorageState {
  const { hostname } = new URL(url)
  const pairs = cookie.split('; ').filter(Boolean)
  return {
    cookies: pairs.map((pair) => ({
      name: pair.slice(0, pair.indexOf('=')),
      value: pair.slice(pair.indexOf('=') + 1),
      domain: hostname,
      path: '/',
      expires,
      httpOnly: true,
      // Browsers treat http://localhost as secure, and require it of a __Host- cookie.
      secure: true,
      sameSite: 'Lax',
    })),
    origins: [],
  }
}
