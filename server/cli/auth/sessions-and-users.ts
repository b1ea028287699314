import { AuthConfigurationError } from '../../../backends/errors.js'
import { createOperator, type Operator } from '../../../backends/operator.js'
import { createPool } from '../../../backends/storage/pool.js'
import { openStores } from '../../../backends/storage/stores.js'

/** How a command prints. */
export interface Output {
  json?: boolean
}

/** `netscript auth session list` */
export function listSessions(userId: string, { json }: Output): Promise<void> {
  return withOperator(async (operator) => {
    const sessions = (await operator.listSessions(userId)).map((record) => ({
      id: record.id,
      provider: record.providerId,
      issuedAt: new Date(record.issuedAt).toISOString(),
      expiresAt: new Date(record.expiresAt).toISOString(),
    }))
    if (json) return console.log(JSON.stringify(sessions))
    const lines = sessions.map(({ id, issuedAt }) => `${id}  ${issuedAt}`)
    console.log(lines.length > 0 ? lines.join('\n') : 'No live sessions.')
  })
}

/** `netscript auth session revoke` */
export function revokeSession(sessionId: string, output: Output): Promise<void> {
  return withOperator(async (operator) => {
    const revoked = await operator.revokeSession(sessionId)
    print(output, { revoked: revoked ? 1 : 0 }, revoked ? 'Ended.' : 'There is no such session.')
    if (!revoked) process.exitCode = 1
  })
}

/** `netscript auth session revoke-all` */
export function revokeSessions(userId: string, output: Output): Promise<void> {
  return withOperator(async (operator) => {
    const revoked = await operator.revokeSessions(userId)
    print(output, { revoked }, `Ended ${revoked} ${revoked === 1 ? 'session' : 'sessions'}.`)
  })
}

const USER_ACTIONS = {
  disable: {
    done: 'Disabled; all sessions are ended.',
    act: (operator: Operator, id: string) => operator.disableUser(id),
  },
  enable: {
    done: 'Enabled.',
    act: (operator: Operator, id: string) => operator.enableUser(id),
  },
  delete: {
    done: 'Deleted; all sessions are ended.',
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
    print(output, { found }, found ? done : 'There is no such user.')
    if (!found) process.exitCode = 1
  })
}

function print({ json }: Output, data: unknown, text: string): void {
  console.log(json ? JSON.stringify(data) : text)
}

async function withOperator(act: (operator: Operator) => Promise<void>): Promise<void> {
  const { DATABASE_URL } = process.env
  if (!DATABASE_URL) {
    throw new AuthConfigurationError(
      'DATABASE_URL is not set. Set it to the database of the service.',
    )
  }
  const pool = createPool(DATABASE_URL)
  try {
    const sessionStore = process.env.NETSCRIPT_AUTH_SESSION_STORE
    const stores = await openStores({ pool, sessionStore })
    try {
      await act(createOperator(pool, stores))
    } finally {
      await stores.close()
    }
  } finally {
    await pool.end()
  }
}
