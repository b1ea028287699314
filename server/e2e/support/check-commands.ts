import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import manifest from '../../../package.json' with { type: 'json' }
import { createProgram } from '../../cli/program.js'

/** Scripts that `netscript plugin add` writes into a workspace. */
const SCRIPTS_OF_A_WORKSPACE = ['auth']

/** What is wrong with a script of a shell: its syntax, and each `netscript` and `npm` command in it. */
export async function checkCommands(script: string): Promise<string[]> {
  const parsed = promisify(execFile)('bash', ['-n', '-c', script])
  const syntax = await parsed.then(
    () => [],
    ({ stderr }: { stderr: string }) => [stderr.trim()],
  )
  return [...syntax, ...commandsOf(script).flatMap(checkCommand)]
}

/** The commands of a script, each as its words. */
export function commandsOf(script: string): string[][] {
  return script
    .replaceAll('\\\n', ' ')
    .replaceAll(/(^|\s)#.*$/gm, '')
    .split(/\n|&&|\|\|?|;|\$\(|\)/)
    .map((line) => line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [])
    .map((words) => words.slice(words.findIndex((word) => !/^(export|npx|\w+=.*)$/.test(word))))
    .filter((words) => words.length > 0)
}

function checkCommand(words: string[]): string[] {
  const [name, first = '', second = ''] = words
  if (name === 'netscript') return checkNetscript(words.slice(1))
  if (name !== 'npm') return []
  const script = first === 'run' ? second : ['start', 'test'].includes(first) ? first : undefined
  if (script === undefined || script in manifest.scripts) return []
  if (SCRIPTS_OF_A_WORKSPACE.includes(script)) return []
  return [`There is no script "${script}" in package.json.`]
}

function checkNetscript(words: readonly string[]): string[] {
  let command: Command = createProgram()
  const rest = [...words]
  while (command.commands.length > 0) {
    const next = command.commands.find((one) => one.name() === rest[0])
    if (!next) return [`netscript ${words.join(' ')}: there is no command ${rest[0]}.`]
    command = next
    rest.shift()
  }
  const { operands, unknown } = command.parseOptions(rest)
  const most = command.registeredArguments.length
  const least = command.registeredArguments.filter(({ required }) => required).length
  return [
    ...unknown.filter((word) => word.startsWith('-')).map((word) => `there is no option ${word}`),
    ...(operands.length < least ? ['an argument is missing'] : []),
    ...(operands.length > most ? [`${operands.at(-1)} is one argument too many`] : []),
  ].map((message) => `netscript ${words.join(' ')}: ${message}.`)
}
