import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, chown, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { decodeText } from '../config/text-file.js'

/** The file that the command line reads variables from, in the working directory. */
const ENV_FILE = '.env'

/** The position of one value in the text of a .env file, including its quotes. */
interface Assignment {
  name: string
  start: number
  end: number
}

/** Parses the text of a .env file as `process.loadEnvFile` does. */
export function readEnvVariables(text: string): Record<string, string> {
  return parseEnv(text) as Record<string, string>
}

/**
 * Sets variables in the text of a .env file: existing values are replaced in place, new variables are
 * appended. Comments, order, blank lines and line endings are preserved; a commented-out assignment is a
 * comment. The service treats an empty value as not set.
 *
 * @throws AuthConfigurationError for a value that a .env file cannot hold, and when the result would not
 * parse back to the requested values. The error names the variable, never its value.
 *
 * @example
 * ```ts
 * setEnvVariables('# web\nPORT=1 # old\n', { PORT: '2', HOST: 'a b' })
 * // # web\nPORT=2 # old\nHOST='a b'\n
 * ```
 */
export function setEnvVariables(text: string, values: Readonly<Record<string, string>>): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  let result = text
  for (const [name, value] of Object.entries(values)) {
    const written = quote(name, value)
    // Of two assignments Node uses the last. Replace both, so that no other parser reads the old value.
    const found = findAssignments(result).filter((assignment) => assignment.name === name)
    for (const { start, end } of found.reverse()) {
      result = result.slice(0, start) + written + withoutTabs(result.slice(end))
    }
    if (found.length > 0) continue
    if (result !== '' && !result.endsWith('\n')) result += lineEnd
    result += `${name}=${written}${lineEnd}`
  }
  checkReadsBack(result, { ...readEnvVariables(`${text}\n`), ...values }, values)
  return result
}

/** Node treats a tab before a comment or at the end of a line as part of the value. */
function withoutTabs(rest: string): string {
  return rest.replace(/^[^\S\r\n]*\t[^\S\r\n]*(#?)/, (_blank, hash: string) => hash && ` ${hash}`)
}

/** Finds the assignments exactly as Node's parser does. */
function findAssignments(text: string): Assignment[] {
  const found: Assignment[] = []
  let lineStart = 0
  while (lineStart < text.length) {
    const line = text.slice(lineStart, endOfLine(text, lineStart))
    const [before, name] = /^\s*(?:export )?([^\s=#]+)\s*= */.exec(line) ?? []
    let end = lineStart + line.length
    if (before !== undefined && name !== undefined) {
      const start = lineStart + before.length
      end = endOfValue(text, start)
      found.push({ name, start, end })
    }
    lineStart = endOfLine(text, end) + 1
  }
  return found
}

function endOfLine(text: string, from: number): number {
  const newline = text.indexOf('\n', from)
  return newline === -1 ? text.length : newline
}

/** A quoted value may span lines; an unquoted one ends at a `#` or at the end of its line. */
function endOfValue(text: string, start: number): number {
  const opening = text.charAt(start)
  const isQuoted = opening !== '' && `'"\``.includes(opening)
  const closing = isQuoted ? text.indexOf(opening, start + 1) : -1
  const from = closing === -1 ? start : closing + 1
  const rest = text.slice(from, endOfLine(text, from))
  const comment = isQuoted && closing === -1 ? -1 : rest.indexOf('#')
  return from + (comment === -1 ? rest : rest.slice(0, comment)).trimEnd().length
}

/**
 * Leaves a value unquoted when every common parser, shells included, reads it the same way. An empty
 * value is quoted, because Node 22 would read the next line after a space.
 */
function quote(name: string, value: string): string {
  if (/^[\w.,:/@%+=~-]+$/.test(value)) return value
  // Parsers differ in what they trim around an unquoted value.
  const bare = value === value.trim() ? [value] : []
  const written = [`'${value}'`, `"${value}"`, `\`${value}\``, ...bare].find(
    (candidate) => parseEnv(`A=${candidate}\nB='"\`\n`).A === value,
  )
  if (written !== undefined && !value.includes('\0')) return written
  throw new AuthConfigurationError(
    `${name}: a .env file cannot hold this value. Set the variable in the environment instead.`,
  )
}

/**
 * The error names requested variables only: in a malformed file another name may be part of a secret
 * value.
 */
function checkReadsBack(
  text: string,
  expected: Readonly<Record<string, string>>,
  set: Readonly<Record<string, string>>,
): void {
  const read = readEnvVariables(text)
  // Node drops an empty value at the end of the file.
  const isWrong = (name: string): boolean => (read[name] ?? '') !== expected[name]
  const wrong = [...Object.keys(set), ...Object.keys(expected)].find(isWrong)
  if (wrong === undefined) return
  throw new AuthConfigurationError(
    `${wrong in set ? wrong : 'Another variable'} would not be read back from the .env file. Look for a line without "=", a comment that is indented or a quote that is not closed, and correct it.`,
  )
}

/** Loads a .env file as `process.loadEnvFile` does: the environment takes precedence. */
export function loadEnvFile(file = ENV_FILE): void {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new Error(`${file} cannot be read. Make it a file that this user may read.`, { cause })
  }
  for (const [name, value] of Object.entries(readEnvVariables(decodeText(bytes, file)))) {
    process.env[name] ??= value
  }
}

/** The text of a .env file; empty when there is none. */
export async function readEnvFile(file = ENV_FILE): Promise<string> {
  try {
    return decodeText(await readFile(file), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/**
 * Replaces a .env file atomically. Afterwards only its owner can read it: a mode stricter than 0600 is
 * kept, a wider one is narrowed with a warning. The owner and a symbolic link to the file are kept.
 */
export async function writeEnvFile(text: string, file = ENV_FILE): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const old = await stat(target).catch(() => undefined)
  const staged = `${target}.${randomUUID()}`
  try {
    await writeFile(staged, text, { mode: 0o600, flag: 'wx' })
    if (old) {
      await chown(staged, old.uid, old.gid).catch(() => {})
      await chmod(staged, old.mode & 0o600)
    }
    await rename(staged, target)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
  if (old && isReadableByOthers(old)) {
    console.error(
      `${file} had mode ${modeOf(old)}, so other users could read its secrets. It is ${modeOf({ mode: old.mode & 0o600 })} now. Replace the secrets if others had access.`,
    )
  }
}

/** Whether users other than the owner may read or write a file. Windows has no such modes. */
export function isReadableByOthers({ mode }: { mode: number }): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0
}

/** Formats a mode for chmod, such as 0644. */
export function modeOf({ mode }: { mode: number }): string {
  return `0${(mode & 0o777).toString(8)}`
}

/**
 * The variables that do not come from the .env file; they take precedence over it. A variable with the
 * same value as in the file counts as the file's, since a shell may have loaded the file.
 */
export function outsideOf(
  file: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => file[name] !== value))
}

/** The environment that the service would have with a different .env file. */
export function environmentWith(
  text: string,
  oldText: string,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return { ...readEnvVariables(text), ...outsideOf(readEnvVariables(oldText), env) }
}
