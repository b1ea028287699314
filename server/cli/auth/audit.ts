import { z } from 'zod'
import { countAuditEvents, deleteAuditEvents } from '@netscript/auth-database/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { confirm } from '../terminal.js'
import { withDatabase } from '../db/database.js'
import { type Output, printOutcome } from './operator.js'

/** Options of {@link deleteOldAuditEvents}. */
export interface AuditDeleteOptions extends Output {
  before: string
  yes?: boolean
}

const DATE = z.union([z.iso.date(), z.iso.datetime({ offset: true })])

/** `netscript auth audit delete` */
export function deleteOldAuditEvents({ before, yes, json }: AuditDeleteOptions): Promise<void> {
  const date = readDate(before)
  return withDatabase(process.env, async ({ pool, description }) => {
    const found = await countAuditEvents(pool, date)
    if (found > 0) {
      const events = `${found} audit ${found === 1 ? 'event' : 'events'}`
      await confirm(`Delete ${events} from before ${date.toISOString()} in ${description}?`, {
        ...(yes !== undefined && { yes }),
      })
    }
    const deleted = found > 0 ? await deleteAuditEvents(pool, date) : 0
    const text = `Deleted ${deleted} audit ${deleted === 1 ? 'event' : 'events'} from before ${date.toISOString()}.`
    const data = { deleted, before: date.toISOString() }
    printOutcome({ ...(json !== undefined && { json }) }, { data, text, found: true })
  })
}

/** Days begin in UTC, as in the audit trail. */
function readDate(text: string): Date {
  if (!DATE.safeParse(text).success) {
    throw new AuthConfigurationError(
      `--before ${text} is not a date. Write it like 2026-01-31 or 2026-01-31T00:00:00Z.`,
    )
  }
  const date = new Date(text)
  if (date.getTime() <= Date.now()) return date
  throw new AuthConfigurationError(`--before ${text} is in the future. Give a date in the past.`)
}
