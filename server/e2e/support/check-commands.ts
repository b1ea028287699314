import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import manifest from '../../../package.json' with { type: 'json' }
import { type GivenProvider, providerVariables } from '../../cli/auth/provider-variables.js'
import { createProgram } from '../../cli/program.js'
import { readConfig } from '../../config/config.js'
import { VARIABLES } from '../../config/variables.js'

/** Scripts that `netscript plugin add` writes into a workspace. */
const SCRIPTS_OF_A_WORKSPACE = ['auth']

/** Programs that users have, or that the block before installs; nothing here can be asked for their options. */
const PROGRAMS = [
  ...['bun', 'cp', 'curl', 'date', 'deno', 'docker', 'echo', 'jest', 'next', 'node', 'openssl'],
  ...['playwright', 'printenv', 'react-router', 'tsx', 'vite', 'vitest'],
]

/**
 * What is wrong with a script of a shell: its syntax, each `netscript` and `npm` command in it, and the
 * values of variables that the service reads.
 */
export async function checkCommands(script: string): Promise<string[]> {
  const parsed = promisify(execFile)('bash', ['-n', '-c', script])
  const syntax = await parsed.then(
    () => [],
    ({ stderr }: { stderr: string }) => [stderr.trim()],
  )
  return [...syntax, ...commandsOf(script).flatMap(checkCommand), ...checkValues(script)]
}

/** What the service says of the values that a script gives to its variables. */
function checkValues(script: string): string[] {
  const assignments = script.matchAll(/\b([A-Z][A-Z_]+)=("[^"]*"|'[^']*'|[^\s"']*)/g)
  return [...assignments].flatMap(([, name = '', quoted = '']) => {
    // The certificate is a file of the reader's.
    const value = quoted.replaceAll(/^["']|["']$|&sslrootcert=[^&"']*/g, '')
    if (!(name in VARIABLES) || value.includes('$')) return []
    const { error } = VARIABLES[name as keyof typeof VARIABLES].safeParse(value)
    return error ? [`${name}=${value}: ${error.issues.map(({ message }) => message).join()}`] : []
  })
}

/** The commands of a script, each as its words. */
export function commandsOf(script: string): string[][] {
  return script
    .replaceAll('\\\n', ' ')
    .replaceAll(/(^|\s)#.*$/gm, '')
    .split(/\n|&&|\|\|?|;|\$\(|\)/)
    .map((line) => line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [])
    .map(withoutPrefix)
    .filter((words) => words.length > 0)
}

/** A command without the assignments before it, and whatever runs it. */
function withoutPrefix(words: readonly string[]): string[] {
  const begin = words.findIndex((word) => !/^(export|npx|\w+=.*)$/.test(word))
  return begin < 0 ? [] : words.slice(begin)
}

/** What is wrong with a command that a text names, such as `netscript auth user` or `npm run docs`. */
export function checkMention(text: string): string[] {
  const words = text.split(/ +/).filter((word) => !word.startsWith('<'))
  return words[0] === 'netscript' ? findCommand(words.slice(1)).problems : checkCommand(words)
}

function checkCommand(words: string[]): string[] {
  const [name, first = '', second = ''] = words
  if (name === 'netscript') return checkNetscript(words.slice(1))
  if (name !== 'npm') {
    const isKnown = name === undefined || PROGRAMS.includes(name)
    return isKnown ? [] : [`${name} is not in PROGRAMS of server/e2e/support/check-commands.ts.`]
  }
  const script = first === 'run' ? second : ['start', 'test'].includes(first) ? first : undefined
  if (script === undefined || script in manifest.scripts) return []
  if (SCRIPTS_OF_A_WORKSPACE.includes(script)) return []
  return [`There is no script "${script}" in package.json.`]
}

function checkNetscript(words: readonly string[]): string[] {
  const { command, operands, problems } = findCommand(words)
  if (problems.length > 0) return problems
  if (command.commands.length > 0) return [`netscript ${words.join(' ')}: it is half a command.`]
  if (words.slice(0, 3).join(' ') === 'auth provider set') return checkProvider(command, operands)
  const isVariadic = command.registeredArguments.at(-1)?.variadic
  const most = isVariadic ? Infinity : command.registeredArguments.length
  const least = command.registeredArguments.filter(({ required }) => required).length
  return [
    ...(operands.length < least ? ['an argument is missing'] : []),
    ...(operands.length > most ? [`${operands.at(-1)} is one argument too many`] : []),
  ].map((message) => `netscript ${words.join(' ')}: ${message}.`)
}

/** What the service says of the provider that a command configures. */
function checkProvider(command: Command, [name = '']: readonly string[]): string[] {
  const { clientId, ...options } = command.opts<GivenProvider>()
  const client = { clientId: clientId ?? 'client', clientSecret: 'secret' }
  const key = Buffer.alloc(32, 1).toString('base64url')
  try {
    const { variables: first } = providerVariables('google', client, {})
    const current = options.add ? first : {}
    const { variables } = providerVariables(name, { ...client, ...options }, current)
    const env = { ...current, ...variables, NETSCRIPT_AUTH_KV_OAUTH_KEY: key }
    readConfig(env, { production: false })
    return []
  } catch (error) {
    return [`netscript auth provider set ${name}: ${(error as Error).message}`]
  }
}

/** The command that words lead to, and what is left of them. */
function findCommand(words: readonly string[]): {
  command: Command
  operands: readonly string[]
  problems: string[]
} {
  let command: Command = createProgram()
  const rest = [...words]
  while (command.commands.length > 0 && rest.length > 0) {
    const next = command.commands.find((one) => one.name() === rest[0])
    if (!next) break
    command = next
    rest.shift()
  }
  const { operands, unknown } = command.parseOptions(rest)
  const wrong = [
    ...unknown.filter((word) => word.startsWith('-')).map((word) => `there is no option ${word}`),
    ...(command.commands.length > 0 && operands[0] ? [`there is no command ${operands[0]}`] : []),
  ]
  const problems = wrong.map((message) => `netscript ${words.join(' ')}: ${message}.`)
  return { command, operands, problems }
}
