import type { AnonymousReason } from '../../backends/port.js'
import type { Authentication } from './authenticator.js'

// Compiled by `npm run check`, never run.

/** A guard names the same situation by the same word as a backend. */
export const reasonOfBackend = (
  reason: Extract<Authentication, { ok: false }>['reason'],
): AnonymousReason => reason
