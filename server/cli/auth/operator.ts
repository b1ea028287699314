import { AuthConfigurationError, type Operator } from '@netscript/plugin-auth-core'
import { backendEntry } from '../../backends.js'
import { withDatabase } from '../db/database.js'
import { backendChoice } from './backend.js'
import { print } from '../terminal.js'

/** Output options of a command. */
export interface Output {
  json?: boolean
}

/** Paging options of commands that list. */
export interface PageOptions extends Output {
  limit: string
  cursor?: string | undefined
}

/**
 * Parses the paging options.
 * @throws AuthConfigurationError when the limit is not a number from 1 to 100.
 */
export function pageOptions({ limit, cursor }: PageOptions): { limit: number; cursor?: string } {
  if (!/^([1-9]\d?|100)$/.test(limit)) {
    throw new AuthConfigurationError('--limit must be a number from 1 to 100.')
  }
  return { limit: Number(limit), ...(cursor !== undefined && { cursor }) }
}

/** Runs `act` with the active backend's operator, on the database that `netscript db` uses. */
export async function withOperator(
  act: (operator: Operator) => Promise<void>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const entry = backendEntry(backendChoice(env, {}).backend)
  const run = async (pool?: Parameters<typeof entry.openOperator>[0]['pool']): Promise<void> => {
    const operator = await entry.openOperator({ env, pool })
    try {
      await act(operator)
    } finally {
      await operator.close()
    }
  }
  if (!entry.usesDatabase) return run()
  return withDatabase(env, ({ pool }) => run(pool))
}

/** Prints the outcome of an action; the exit code is 1 when there was nothing to act on. */
export function printOutcome(
  { json }: Output,
  { data, text, found }: { data: object; text: string; found: boolean },
): void {
  if (json) console.log(JSON.stringify(data))
  else print(text)
  if (!found) process.exitCode = 1
}

export const NO_SUCH_USER = 'There is no such user. Find one with: netscript auth user find <text>'

/** Appends what an operator should know after ending sessions. */
export function ended(operator: Operator, text: string): string {
  return operator.endsLater === undefined ? text : `${text} ${operator.endsLater}`
}

/**
 * Makes text from a provider or a browser safe to print: a terminal interprets control characters, and
 * bidirectional ones reorder the line.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')
}
