import { columns } from '../columns.js'
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
    const sessions = found.sessions.map(({ session, userAgent }) => ({
      id: session.id,
      provider: session.providerId,
      issuedAt: session.issuedAt,
      expiresAt: session.expiresAt,
      userAgent,
    }))
    const more = found.cursor
    if (output.json) {
      return console.log(JSON.stringify({ sessions, ...(more !== undefined && { cursor: more }) }))
    }
    if (sessions.length === 0) return console.log('No live sessions.')
    const lines = sessions.map(({ id, provider = '', issuedAt, expiresAt, userAgent = '' }) => [
      id,
      printable(provider),
      issuedAt,
      expiresAt,
      printable(userAgent).slice(0, 60),
    ])
    console.log(columns([['SESSION', 'PROVIDER', 'SIGNED IN', 'EXPIRES', 'BROWSER'], ...lines]))
    if (more !== undefined) console.log(`\nMore: --cursor ${more}`)
  })
}

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
