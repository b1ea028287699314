/** Where the HTTP surface counts. Routes are those of a `RouteName`, so that all words are known. */
export interface HttpMetrics {
  /** An answer is out, or the caller is gone. */
  answered(answer: Answer): void
  /** A request was over a limit of its client's network, which is told by its prefix length. */
  rateLimited(route: string, prefix: number): void
}

/** What is measured of an answer. */
export interface Answer {
  /** As it was sent. */
  readonly method: string
  /** A word of `RouteName`, never a path. */
  readonly route: string
  /** `undefined` when the caller did not wait for it. */
  readonly status: number | undefined
  /** How long it took. */
  readonly seconds: number
}
