import type { AuthSessionPage, Operator, OperatorUser } from '@netscript/plugin-auth-core'
import { type Cell, free, record, table } from '../table.js'
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

/** Options of `netscript auth user find` and `list`. */
export interface UserSearchOptions extends PageOptions {
  provider?: string
}

/** `netscript auth user find` and `list`; without search text every user matches. */
export async function findUsers(
  text: string | undefined,
  { provider, limit, cursor, json }: UserSearchOptions,
): Promise<void> {
  const wanted = pageOptions({ limit, cursor })
  await withOperator(async (operator) => {
    const page = await operator.findUsers({
      ...wanted,
      ...(text !== undefined && { text }),
      ...(provider !== undefined && { providerId: provider }),
    })
    const isEmpty = page.users.length === 0
    if (isEmpty && text !== undefined) process.exitCode = 1
    if (json) return console.log(JSON.stringify(page))
    if (isEmpty) return print(text === undefined ? 'No users.' : 'No user matches.')
    print(table(USER_TITLES, page.users.map(userRow)))
    if (page.cursor !== undefined) print(`\nMore: --cursor ${page.cursor}`)
  })
}

const USER_TITLES = ['USER ID', 'NAME', 'E-MAIL', 'PROVIDERS', 'LAST SIGN-IN']

const userRow = (user: OperatorUser): Cell[] => [
  user.id + (user.disabledAt === undefined ? '' : ' (disabled)'),
  free(printable(user.displayName ?? '')),
  printable(user.email ?? ''),
  [...new Set(user.accounts.map(({ providerId }) => providerId))].join(', '),
  user.lastSignInAt ?? '',
]

/** `netscript auth user show` */
export function showUser(userId: string, output: Output): Promise<void> {
  return withOperator(async (operator) => {
    const user = await operator.getUser(userId)
    if (!user) {
      return printOutcome(output, { data: { found: false }, text: NO_SUCH_USER, found: false })
    }
    const sessions = await countSessions(operator, userId)
    const fields: [string, Cell][] = [
      ['User id', user.id],
      ['Name', free(printable(user.displayName ?? ''))],
      ['E-mail', printable(user.email ?? '') + (user.emailVerified ? ' (verified)' : '')],
      ...user.accounts.map(({ providerId, subject }): [string, Cell] => [
        'Account',
        `${providerId}: ${printable(subject)}`,
      ]),
      ...(user.roles === undefined ? [] : [rolesField(user.roles)]),
      ['Created', user.createdAt],
      ['Last sign-in', user.lastSignInAt ?? ''],
      ...(user.disabledAt === undefined ? [] : [['Disabled', user.disabledAt] as [string, Cell]]),
      ['Live sessions', String(sessions)],
    ]
    const text = record(
      fields.map(([title]) => title),
      fields.map(([, cell]) => cell),
    )
    printOutcome(output, { data: { ...user, sessions }, text, found: true })
  })
}

const rolesField = (roles: readonly string[]): [string, Cell] => [
  'Roles',
  roles.length === 0 ? 'none of the operator' : `${roles.map(printable).join(', ')} (operator)`,
]

async function countSessions(operator: Operator, userId: string): Promise<number> {
  let count = 0
  let cursor: string | undefined
  do {
    const page = await operator.listSessions(userId, cursor === undefined ? {} : { cursor })
    count += page.sessions.length
    cursor = page.cursor
  } while (cursor !== undefined)
  return count
}

const USER_ACTIONS = {
  disable: {
    done: (operator: Operator) => ended(operator, 'Disabled; all sessions are ended.'),
    act: (operator: Operator, id: string) => operator.disableUser(id),
  },
  enable: {
    done: () => 'Enabled.',
    act: (operator: Operator, id: string) => operator.enableUser(id),
  },
  delete: {
    done: (operator: Operator) => ended(operator, 'Deleted; all sessions are ended.'),
    act: (operator: Operator, id: string) => operator.deleteUser(id),
  },
}

/** `netscript auth user disable`, `enable` and `delete` */
export function changeUser(
  action: keyof typeof USER_ACTIONS,
  userId: string,
  output: Output,
): Promise<void> {
  const { act, done } = USER_ACTIONS[action]
  return withOperator(async (operator) => {
    const found = await act(operator, userId)
    const text = found ? done(operator) : NO_SUCH_USER
    printOutcome(output, { data: { found }, text, found })
  })
}

const ROLE_ACTIONS = {
  add: (operator: Operator, id: string, roles: readonly string[]) => operator.addRoles(id, roles),
  remove: (operator: Operator, id: string, roles: readonly string[]) =>
    operator.removeRoles(id, roles),
}

/** `netscript auth user roles add` and `remove` */
export function changeRoles(
  action: keyof typeof ROLE_ACTIONS,
  { userId, roles }: { userId: string; roles: readonly string[] },
  output: Output,
): Promise<void> {
  return withOperator(async (operator) => {
    const inForce = await ROLE_ACTIONS[action](operator, userId, roles)
    if (!inForce) {
      return printOutcome(output, { data: { found: false }, text: NO_SUCH_USER, found: false })
    }
    const list = inForce.map((role) => `  ${printable(role)}`).join('\n')
    const text = list === '' ? 'The operator gives no roles.' : `Roles of the operator:\n${list}`
    printOutcome(output, { data: { found: true, roles: inForce }, text, found: true })
  })
}

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
    print(table(SESSION_TITLES, found.sessions.map(sessionRow)))
    if (more !== undefined) print(`\nMore: --cursor ${more}`)
  })
}

const SESSION_TITLES = [
  'SESSION',
  'PROVIDER',
  'ROLES',
  'SIGNED IN',
  'LAST USED',
  'EXPIRES',
  'BROWSER',
]

const sessionRow = ({ session, userAgent = '' }: AuthSessionPage['sessions'][number]): Cell[] => [
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
