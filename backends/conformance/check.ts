import type { Scene } from './scene.js'

/** One thing that every backend must do. */
export interface AuthBackendCheck {
  /** Stable; in kebab case. */
  readonly id: string
  /** What must be so, for people. */
  readonly title: string
  /** Resolves when it is so; throws otherwise. */
  run(scene: Scene): Promise<void>
}

/** Thrown by a check that has nothing to say about this backend. */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}

/** Leaves the check: `reason` says what is missing, or why it does not apply. */
export function skip(reason: string): never {
  throw new CheckSkipped(reason)
}
