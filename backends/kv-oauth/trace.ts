/** Attributes of a span: known names and numbers. */
type TraceAttributes = Readonly<Record<string, string | number | boolean>>

/**
 * Tracing of the backend. Spans leave the process, so they contain nothing secret or personal: no
 * token, no code, no e-mail address, and of a user only the keyed hash of the audit trail.
 */
export interface AuthTrace {
  /** Runs a function in a child span of the current one. */
  span<T>(name: string, attributes: TraceAttributes, run: () => Promise<T>): Promise<T>
  /** Adds attributes to the current span. */
  annotate(attributes: TraceAttributes): void
}

/**
 * Creates a fetch function with a span for each request: method, host, OAuth grant type and status. For
 * privacy, trace headers are not sent to the provider.
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
