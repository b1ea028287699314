import { randomBytes } from 'node:crypto'
import { AuthConfigurationError, parseKeyring } from '@netscript/plugin-auth-core'
import {
  outsideOf,
  readEnvFile,
  readEnvVariables,
  setEnvVariables,
  writeEnvFile,
} from '../env-file.js'
import { SECRET_KINDS } from './secret-kinds.js'
import { print } from '../terminal.js'

/** Options of `netscript auth secret generate`. */
export interface GenerateOptions {
  /** Write it to .env, unless one is set there. */
  write?: boolean
  /** Append it to the keyring in .env. */
  append?: boolean
}

/** `netscript auth secret generate`: prints a new secret, or writes it without showing it. */
export async function generateSecret(kind: string, options: GenerateOptions): Promise<void> {
  const found = Object.hasOwn(SECRET_KINDS, kind) ? SECRET_KINDS[kind] : undefined
  if (!found) {
    throw new AuthConfigurationError(
      `There is no secret "${kind}". Use one of: ${Object.keys(SECRET_KINDS).join(', ')}.`,
    )
  }
  const secret = randomBytes(found.bytes).toString('base64url')
  if (!options.write && !options.append) return console.log(secret)
  const text = await readEnvFile()
  const { [found.variable]: present = '' } = readEnvVariables(text)
  refuseOutside(found.variable, text)
  if (options.append) {
    const value = appended(found.variable, present, secret)
    await writeEnvFile(setEnvVariables(text, { [found.variable]: value }))
    return print(rotation(found.variable, value.split(',').length))
  }
  if (present.trim() !== '') {
    throw new AuthConfigurationError(
      `${found.variable} is in .env already and is not replaced. ${
        kind === 'kv-oauth-key' ? 'Use --append to rotate it.' : 'Take it out of .env first.'
      }`,
    )
  }
  await writeEnvFile(setEnvVariables(text, { [found.variable]: secret }))
  print(`${found.variable} is set in .env.`)
}

/** Variables set outside .env take precedence, so a secret written there would never be used. */
function refuseOutside(variable: string, text: string): void {
  if (!outsideOf(readEnvVariables(text))[variable]?.trim()) return
  throw new AuthConfigurationError(
    `${variable} is set in the environment, which wins over .env. Change it there.`,
  )
}

function appended(variable: string, present: string, secret: string): string {
  if (variable !== SECRET_KINDS['kv-oauth-key']?.variable) {
    throw new AuthConfigurationError(
      `${variable} is one secret, not a list. Use --append with kv-oauth-key only.`,
    )
  }
  if (present.trim() === '') {
    throw new AuthConfigurationError(
      `${variable} is not in .env, so there is nothing to rotate. Use --write.`,
    )
  }
  parseKeyring(present, variable)
  return `${present.trim().replace(/[,\s]+$/, '')},${secret}`
}

function rotation(variable: string, count: number): string {
  return [
    `${variable} in .env now has ${count} keys; the first still signs.`,
    '',
    'To go on:',
    '  1. Roll this out to every process. All of them then know the new key.',
    '  2. Move the new key to the front and roll that out. It signs from then on.',
    '  3. When the last session of the old key has ended, remove it and roll out.',
  ].join('\n')
}
