import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { AuthConfigurationError } from '../../backends/errors.js'
import { createOperator, type Operator } from '../../backends/operator.js'
import { createPool } from '../../backends/storage/pool.js'
import { openStores } from '../../backends/storage/stores.js'

/** Bytes of each secret that can be generated. */
const SECRETS: Readonly<Record<string, number>> = {
  'kv-oauth-key': 32,
  'better-auth': 48,
  'workos-cookie': 48,
  'audit-salt': 32,
}

interface Output {
  json?: boolean
}

/** Adds `netscript auth ...`. */
export function addAuthCommands(program: Command): void {
  const auth = program.command('auth').description('Secrets, sessions and users.')

  auth
    .command('secret')
    .description('Secrets of the service.')
    .command('generate')
    .description('Print a new secret.')
    .argument('[kind]', `one of: ${Object.keys(SECRETS).join(', ')}`, 'kv-oauth-key')
    .action((kind: string) => {
      const bytes = Object.hasOwn(SECRETS, kind) ? SECRETS[kind] : undefined
      if (bytes === undefined) {
        throw new AuthConfigurationError(
          `There is no secret "${kind}". Use one of: ${Object.keys(SECRETS).join(', ')}.`,
        )
      }
      console.log(randomBytes(bytes).toString('base64url'))
    })

  addSessionCommands(auth)
  addUserCommands(auth)
}

function addSessionCommands(auth: Command): void {
  const session = auth.command('session').description('Sessions of the kv-oauth backend.')

  session
    .command('list')
    .description('List the live sessions of a user.')
    .argument('<user-id>', 'the id that GET /me shows')
    .option('--json', 'print JSON')
    .action((userId: string, output: Output) =>
      withOperator(async (operator) => {
        const sessions = (await operator.listSessions(userId)).map((record) => ({
          id: record.id,
          provider: record.providerId,
          issuedAt: new Date(record.issuedAt).toISOString(),
          expiresAt: new Date(record.expiresAt).toISOString(),
        }))
        if (output.json) return print(output, sessions, '')
        const lines = sessions.map(({ id, issuedAt }) => `${id}  ${issuedAt}`)
        console.log(lines.length > 0 ? lines.join('\n') : 'No live sessions.')
      }),
    )

  session
    .command('revoke')
    .description('End one session.')
    .argument('<session-id>')
    .option('--json', 'print JSON')
    .action((sessionId: string, output: Output) =>
      withOperator(async (operator) => {
        const revoked = await operator.revokeSession(sessionId)
        print(
          output,
          { revoked: revoked ? 1 : 0 },
          revoked ? 'Ended.' : 'There is no such session.',
        )
        if (!revoked) process.exitCode = 1
      }),
    )

  session
    .command('revoke-all')
    .description('End all sessions of a user.')
    .argument('<user-id>', 'the id that GET /me shows')
    .option('--json', 'print JSON')
    .action((userId: string, output: Output) =>
      withOperator(async (operator) => {
        const revoked = await operator.revokeSessions(userId)
        print(output, { revoked }, `Ended ${revoked} ${revoked === 1 ? 'session' : 'sessions'}.`)
      }),
    )
}

function addUserCommands(auth: Command): void {
  const user = auth.command('user').description('Users of the kv-oauth backend.')
  const actions: [string, string, string, (operator: Operator, id: string) => Promise<boolean>][] =
    [
      [
        'disable',
        'Disable a user and end their sessions.',
        'Disabled; all sessions are ended.',
        (operator, id) => operator.disableUser(id),
      ],
      [
        'enable',
        'Let a disabled user sign in again.',
        'Enabled.',
        (operator, id) => operator.enableUser(id),
      ],
      [
        'delete',
        'Delete a user, their accounts and their sessions.',
        'Deleted; all sessions are ended.',
        (operator, id) => operator.deleteUser(id),
      ],
    ]
  for (const [name, description, done, act] of actions) {
    user
      .command(name)
      .description(description)
      .argument('<user-id>', 'the id that GET /me shows')
      .option('--json', 'print JSON')
      .action((userId: string, output: Output) =>
        withOperator(async (operator) => {
          const found = await act(operator, userId)
          print(output, { found }, found ? done : 'There is no such user.')
          if (!found) process.exitCode = 1
        }),
      )
  }
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
