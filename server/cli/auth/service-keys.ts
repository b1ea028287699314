import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { listOf } from '../../config/variable-types.js'
import {
  createServiceKey,
  listServiceKeys,
  revokeServiceKey,
  type ServiceKey,
} from '../../tokens/service-keys.js'
import { withDatabase } from '../db/database.js'
import { type Cell, free, table } from '../table.js'
import { print } from '../terminal.js'
import { type Output, printable, printOutcome } from './operator.js'

/** Options of `netscript auth service-key create`. */
export interface ServiceKeyOptions extends Output {
  audience: string
  providers: string
  scopes: string
}

/** `netscript auth service-key create` */
export async function createKey(
  name: string,
  { audience, providers, scopes, json }: ServiceKeyOptions,
): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new AuthConfigurationError(
      'The name of a key must have 1 to 64 letters, digits, dots, dashes and underscores.',
    )
  }
  const limits = { audience, providers: listOf(providers), scopes: listOf(scopes) }
  if (audience.trim() === '' || limits.providers.length === 0) {
    throw new AuthConfigurationError('--audience and --providers must not be empty.')
  }
  await withDatabase(process.env, async ({ pool }) => {
    const { key, secret } = await createServiceKey(pool, { name, ...limits })
    if (json) return console.log(JSON.stringify({ ...key, key: secret }))
    print(secret)
    print(
      `\nThe id is ${key.id}. Store the key in the secrets of the service now: it is not shown again.`,
    )
  })
}

/** `netscript auth service-key list` */
export async function listKeys({ json }: Output): Promise<void> {
  await withDatabase(process.env, async ({ pool }) => {
    const keys = await listServiceKeys(pool)
    if (json) return console.log(JSON.stringify({ keys }))
    if (keys.length === 0) return print('No service keys.')
    print(table(TITLES, keys.map(row)))
  })
}

const TITLES = ['ID', 'NAME', 'AUDIENCE', 'PROVIDERS', 'SCOPES', 'CREATED', 'LAST USED', 'REVOKED']

const row = (key: ServiceKey): Cell[] => [
  key.id,
  key.name,
  free(printable(key.audience)),
  key.providers.map(printable).join(', '),
  free(key.scopes.map(printable).join(' ')),
  key.createdAt,
  key.lastUsedAt ?? '',
  key.revokedAt ?? '',
]

/** `netscript auth service-key revoke` */
export async function revokeKey(id: string, output: Output): Promise<void> {
  await withDatabase(process.env, async ({ pool }) => {
    const found = await revokeServiceKey(pool, id)
    const text = found ? 'Revoked.' : 'There is no valid key with this id.'
    printOutcome(output, { data: { revoked: found ? 1 : 0 }, text, found })
  })
}
