/** A `Cookie` header as a browser sends it once it has stored the values of `Set-Cookie`. */
export function updatedCookies(cookie: string, setCookies: readonly string[]): string {
  const pairs = new Map<string, string>()
  const pairsOf = (header: string) => header.split(';').map((pair) => pair.trim())
  for (const pair of pairsOf(cookie)) pairs.set(nameOf(pair), pair)
  for (const setCookie of setCookies) {
    const [pair = '', ...attributes] = pairsOf(setCookie)
    if (isExpired(attributes)) pairs.delete(nameOf(pair))
    else pairs.set(nameOf(pair), pair)
  }
  return [...pairs.values()].filter(Boolean).join('; ')
}

const nameOf = (pair: string): string => pair.split('=', 1)[0]?.trim() ?? ''

/** `Max-Age` takes precedence over `Expires` (RFC 6265 section 5.3). */
function isExpired(attributes: readonly string[]): boolean {
  const read = (name: string): string | undefined =>
    attributes.findLast((one) => nameOf(one).toLowerCase() === name)?.slice(name.length + 1)
  const maxAge = read('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge.trim())) return Number(maxAge) <= 0
  return Date.parse(read('expires') ?? '') <= Date.now()
}
