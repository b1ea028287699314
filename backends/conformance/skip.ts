/** Thrown by a check that does not apply to the backend. */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}

/** Skips the running check. `reason` says why it does not apply. */
export function skip(reason: string): never {
  throw new CheckSkipped(reason)
}
