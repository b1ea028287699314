/** What is said of a span: a few known words, and numbers. */
export type TraceAttributes = Readonly<Record<string, string | number | boolean>>

/**
 * Where a backend says what it spends its time on. Spans go to whoever collects them, so nothing
 * secret or personal is passed: no token, no code, no e-mail, and of a person only the keyed hash by
 * which the audit trail knows them.
 */
export interface AuthTrace {
  /** Runs a call in a span of its own, below the one that is under way. */
  span<T>(name: string, attributes: TraceAttributes, run: () => Promise<T>): Promise<T>
  /** Adds to the span that is under way. */
  annotate(attributes: TraceAttributes): void
}

/**
 * A fetch with a span for every request: its method, the host, the OAuth grant and the status. The
 * provider is not told of the trace: whom else a person meets is none of its business.
 */
export function tracedFetch(
  trace: AuthTrace,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): typeof globalThis.fetch {
  return (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input)
    const grantType = init?.body instanceof URLSearchParams ? init.body.get('grant_type') : null
    const attributes = {
      'http.request.method': init?.method ?? 'GET',
      'server.address': hostname,
      ...(grantType !== null && { 'oauth.grant_type': grantType }),
    }
    return trace.span('provider.request', attributes, async () => {
      const response = await fetch(input, init)
      trace.annotate({ 'http.response.status_code': response.status })
      return response
    })
  }
}
