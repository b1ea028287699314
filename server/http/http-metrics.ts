/** Where the HTTP surface counts. Routes are those of a `RouteName`, so that all words are known. */
export interface HttpMetrics {
  /** An answer is out, or the caller is gone. */
  answered(answer: Answer): void
  /** A request was over a limit: that of its address, or that of the provider. */
  rateLimited(route: string, limit: 'address' | 'provider'): void
}

/** What is measured of an answer. */
export interface Answer {
  readonly method: string
  readonly route: string
  /** `undefined` when the caller did not wait for it. */
  readonly status: number | undefined
  readonly seconds: number
}
