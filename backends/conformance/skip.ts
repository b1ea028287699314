/** Thrown by a check that has nothing to say about this backend. */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}

/** Leaves the check: `reason` says what is missing, or why it does not apply. */
export function skip(reason: string): never {
  throw new CheckSkipped(reason)
}
