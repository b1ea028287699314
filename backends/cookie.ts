/** Attributes of a cookie that this service sets. `Path=/`, `HttpOnly` and `SameSite=Lax` are fixed. */
export interface CookieOptions {
  /** Seconds until the browser forgets it. */
  maxAge: number
  /** Default: true. False only for a name without the `__Host-` prefix, on http://localhost. */
  secure?: boolean
}

/**
 * A `Set-Cookie` value. A `__Host-` name must be Secure, with `Path=/` and no Domain, or browsers
 * drop it (RFC 6265bis section 4.1.3.2), so none of that can be chosen.
 *
 * @example
 * ```ts
 * setCookie('__Host-mine', 'token', { maxAge: 3600 })
 * // '__Host-mine=token; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure'
 * ```
 */
export function setCookie(name: string, value: string, options: CookieOptions): string {
  const secure = options.secure ?? true
  return `${name}=${value}; Path=/; Max-Age=${options.maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}

/** A `Set-Cookie` value that makes the browser forget a cookie set by {@link setCookie}. */
export function clearCookie(name: string, options: Pick<CookieOptions, 'secure'> = {}): string {
  return setCookie(name, '', { ...options, maxAge: 0 })
}
