/** A parameter without a value is absent (RFC 6749 section 3.1). */
export const withoutEmpty = (query: URLSearchParams): URLSearchParams =>
  [...query.values()].includes('')
    ? new URLSearchParams([...query].filter(([, value]) => value !== ''))
    : query

/** A query as an object: a repeated parameter becomes a list, which every schema rejects. */
export function queryOf(searchParams: URLSearchParams): Record<string, string | string[]> {
  const query = new Map<string, string | string[]>()
  for (const [name, value] of searchParams) {
    const earlier = query.get(name)
    if (Array.isArray(earlier)) earlier.push(value)
    else query.set(name, earlier === undefined ? value : [earlier, value])
  }
  return Object.fromEntries(query)
}
