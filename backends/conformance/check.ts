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
