/** Where the HTTP surface counts. */
export interface HttpMetrics {
  /** A response was sent, or the client was gone before. */
  answered(response: ResponseMeasure): void
  /** A client exceeded the rate limit of one of its networks, given by prefix length. */
  rateLimited(route: string, prefix: number): void
}

/** What is measured of a response. */
export interface ResponseMeasure {
  /** As it was sent. */
  readonly method: string
  /** The key of the route in its contract or another fixed name, never a path. */
  readonly route: string
  /** `undefined` when the client did not wait for it. */
  readonly status: number | undefined
  readonly seconds: number
}
