import type { AuthSessionPage } from '@netscript/plugin-auth-core'
import { type Cell, free, table } from '../table.js'
import { print } from '../terminal.js'
import {
  ended,
  NO_SUCH_USER,
  type Output,
  pageOptions,
  type PageOptions,
  printable,
  printOutcome,
  withOperator,
} from './operator.js'

/** `netscript auth session list` */
export async function listSessions(
  userId: string,
  { limit, cursor, ...output }: PageOptions,
): Promise<void> {
  const page = pageOptions({ limit, cursor })
  await withOperator(async (operator) => {
    const found = await operator.listSessions(userId, page)
    if (found.sessions.length === 0 && !(await operator.getUser(userId))) {
      return printOutcome(output, { data: { sessions: [] }, text: NO_SUCH_USER, found: false })
    }
    const more = found.cursor
    if (output.json) {
      const sessions = found.sessions.map(({ session, userAgent }) => ({
        id: session.id,
        provider: session.providerId,
        roles: session.roles,
        issuedAt: session.issuedAt,
        expiresAt: session.expiresAt,
        userAgent,
      }))
      return console.log(JSON.stringify({ sessions, ...(more !== undefined && { cursor: more }) }))
    }
    if (found.sessions.length === 0) return print('No live sessions.')
    print(table(TITLES, found.sessions.map(row)))
    if (more !== undefined) print(`\nMore: --cursor ${more}`)
  })
}

const TITLES = ['SESSION', 'PROVIDER', 'ROLES', 'SIGNED IN', 'LAST USED', 'EXPIRES', 'BROWSER']

const row = ({ session, userAgent = '' }: AuthSessionPage['sessions'][number]): Cell[] => [
  session.id,
  printable(session.providerId ?? ''),
  session.roles.map(printable).join(', '),
  session.issuedAt,
  session.refreshedAt ?? session.issuedAt,
  session.expiresAt,
  free(printable(userAgent)),
]

/** `netscript auth session revoke` */
export function revokeSession(sessionId: string, output: Output): Promise<void> {
  return withOperator(async (operator) => {
    const found = await operator.revokeSession(sessionId)
    const text = found ? ended(operator, 'Ended.') : 'There is no such session.'
    printOutcome(output, { data: { revoked: found ? 1 : 0 }, text, found })
  })
}

/** `netscript auth session revoke-all` */
export function revokeSessions(userId: string, output: Output): Promise<void> {
  return withOperator(async (operator) => {
    const revoked = await operator.revokeSessions(userId)
    const found = revoked > 0 || (await operator.getUser(userId)) !== undefined
    const text = `Ended ${revoked} ${revoked === 1 ? 'session' : 'sessions'}.`
    printOutcome(output, {
      data: { revoked },
      text: found ? ended(operator, text) : NO_SUCH_USER,
      found,
    })
  })
}
