/** Where the HTTP surface counts. */
export interface HttpMetrics {
  /** A response was sent, or the client was gone before. */
  answered(response: ResponseMeasure): void
  /** A client was over the limit of one of its networks, told by its prefix length. */
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
