/** A parsed `Set-Cookie` value. Attribute names are in lower case. */
interface ParsedSetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
}

/** Parses a `Set-Cookie` value as browsers do (RFC 6265 section 5.2). */
export function parseSetCookie(text: string): ParsedSetCookie {
  const [pair = '', ...rest] = text.split(';')
  const [name, value] = split(pair)
  return {
    name,
    value,
    attributes: new Map(
      rest.map((part) => {
        const [attribute, content] = split(part)
        return [attribute.toLowerCase(), content]
      }),
    ),
  }
}

function split(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  return equals < 0
    ? [pair.trim(), '']
    : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()]
}

/** Whether the cookie is deleted: Max-Age of zero or less, or Expires in the past. */
export function isCleared({ attributes }: ParsedSetCookie): boolean {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined) return Number(maxAge) <= 0
  const expires = attributes.get('expires')
  return expires !== undefined && Date.parse(expires) <= Date.now()
}

/** Parses a `Cookie` header, in order. */
export function parseCookieHeader(header = ''): readonly (readonly [string, string])[] {
  return header
    .split(';')
    .filter((pair) => pair.includes('='))
    .map(split)
}

/** The `Cookie` header of a browser that had sent `header` and received `setCookies`. */
export function applySetCookies(header: string | undefined, setCookies: readonly string[]): string {
  const jar = new Map(parseCookieHeader(header))
  for (const cookie of setCookies.map(parseSetCookie)) {
    if (isCleared(cookie)) jar.delete(cookie.name)
    else jar.set(cookie.name, cookie.value)
  }
  return cookieHeader([...jar])
}

export function cookieHeader(cookies: readonly (readonly [string, string])[]): string {
  return cookies.map(([name, value]) => `${name}=${value}`).join('; ')
}
