/** How many more times a component behind the service may decode an address. */
const READINGS = 3

/**
 * Why an address that was accepted leads away from the allowed origins, or `undefined` when it does
 * not: by the parser of browsers, as it is and as a proxy or a router would decode it again.
 */
export function leadsAway(
  address: string,
  own: string,
  allowed: readonly string[],
): string | undefined {
  const origins = new Set([own, ...allowed])
  if (!URL.canParse(address)) return 'is no absolute URL'
  const url = new URL(address)
  if (!origins.has(url.origin)) return `is on ${url.origin}`
  if (url.href !== address) return 'is not as the parser would write it'
  if (url.username !== '' || url.password !== '') return 'carries credentials'
  if (/[\u0000-\u0020\u007f-\uffff\\]/.test(address)) return 'has characters that readers differ on'
  let path = url.pathname
  for (let reading = 0; reading <= READINGS; reading += 1) {
    const again = URL.canParse(path, url.origin) ? new URL(path, url.origin) : undefined
    if (again?.origin !== url.origin)
      return `is ${again?.origin ?? 'nowhere'} in reading ${reading}`
    if (again.pathname.startsWith('//'))
      return `has the path ${again.pathname} in reading ${reading}`
    if (/[\r\n\t\0\\]/.test(path)) return `changes its shape in reading ${reading}`
    path = decodeOnce(path)
  }
  return undefined
}

/** Decodes like a lenient parser: invalid escapes stay, and only ASCII can change the target. */
function decodeOnce(path: string): string {
  return path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
}
