import { AUTHENTICATION_FLAWS } from './authentication.js'
import type { Flaw } from './flaw.js'
import { INTERACTIVE_FLAWS } from './interactive.js'
import { OPERATION_FLAWS } from './operation.js'
import { SESSION_FLAWS } from './sessions.js'

/** Faulty backends: at least one for every check. */
export const FLAWS: readonly Flaw[] = [
  ...OPERATION_FLAWS,
  ...AUTHENTICATION_FLAWS,
  ...SESSION_FLAWS,
  ...INTERACTIVE_FLAWS,
]
