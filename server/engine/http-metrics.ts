/** Counters of the HTTP layer. */
export interface HttpMetrics {
  /** A response was sent, or the client disconnected before. */
  answered(response: ResponseMeasure): void
  /** A client exceeded the rate limit of one of its networks, given by prefix length. */
  rateLimited(route: string, prefix: number): void
}

/** Measurements of a response. */
export interface ResponseMeasure {
  /** The method as sent. */
  readonly method: string
  /** The key of the route in its contract or another fixed name, never a path. */
  readonly route: string
  /** `undefined` when the client disconnected. */
  readonly status: number | undefined
  readonly seconds: number
}
