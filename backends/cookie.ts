/** Attributes of a cookie. `Path=/`, `HttpOnly` and `SameSite=Lax` are fixed. */
interface CookieOptions {
  /** `Max-Age` in seconds. */
  maxAge: number
  /** False only for a name without the `__Host-` prefix, on http://localhost. @default true */
  secure?: boolean
}

/**
 * Creates a `Set-Cookie` value. Browsers reject a `__Host-` cookie unless it is Secure, with `Path=/`
 * and no Domain (RFC 6265bis section 4.1.3.2), so these attributes are not configurable.
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

/** Creates a `Set-Cookie` value that deletes a cookie set by {@link setCookie}. */
export function clearCookie(name: string, options: Pick<CookieOptions, 'secure'> = {}): string {
  return setCookie(name, '', { ...options, maxAge: 0 })
}
