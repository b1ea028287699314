import type { AnonymousReason } from '../../backends/port.js'
import type { Authentication } from './authenticator.js'

// Compiled by `npm run check`, never run.

/** Guards and backends share the names of reasons. */
export const reasonOfBackend = (
  reason: Extract<Authentication, { ok: false }>['reason'],
): AnonymousReason => reason
