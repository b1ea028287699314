import type { Scene } from './scene.js'

/** A requirement for every backend. */
export interface AuthBackendCheck {
  /** A stable id in kebab case. */
  readonly id: string
  /** The requirement as a sentence. */
  readonly title: string
  /** Rejects when the backend does not meet the requirement. */
  run(scene: Scene): Promise<void>
}
