import { backendEntry, backendNames, type BackendNeed } from '../../backends.js'
import { withAppSettings } from '../../config/app-settings.js'
import {
  environmentWith,
  outsideOf,
  readEnvFile,
  readEnvVariables,
  setEnvVariables,
  writeEnvFile,
} from '../env-file.js'
import { print } from '../terminal.js'

const VARIABLE = 'NETSCRIPT_AUTH_BACKEND'

/** The active backend and the source of that choice. */
interface BackendChoice {
  readonly backend: string
  readonly source: 'environment' | '.env' | 'appsettings.json' | 'default'
}

/** `netscript auth backend show` */
export async function showBackend({ json }: { json?: boolean }): Promise<void> {
  const choice = backendChoice(process.env, readEnvVariables(await readEnvFile()))
  // Throws for an unknown name, listing the valid ones.
  backendEntry(choice.backend)
  const backends = backendNames.map((name) => ({
    name,
    active: name === choice.backend,
    lacks: lacking(name, process.env).map(({ variable }) => variable),
  }))
  if (json) return console.log(JSON.stringify({ ...choice, backends }, null, 2))
  const lines = backends.map(({ name, active, lacks }) => {
    const state = lacks.length === 0 ? ['has what it needs'] : lacks.map((one) => `lacks ${one}`)
    return `${active ? '*' : ' '} ${name.padEnd(13)}${state.join(`\n${' '.repeat(15)}`)}`
  })
  print([`${choice.backend} ${SAID_BY[choice.source]}.`, '', ...lines].join('\n'))
}

const SAID_BY: Readonly<Record<BackendChoice['source'], string>> = {
  environment: `is active: ${VARIABLE} in the environment says so`,
  '.env': `is active: ${VARIABLE} in .env says so`,
  'appsettings.json': 'is active: auth.backend in appsettings.json says so',
  default: 'is active: it is the default',
}

/** The backend that the service selects with these variables, and the source of the choice. */
export function backendChoice(
  env: NodeJS.ProcessEnv,
  file: Readonly<Record<string, string>>,
  appSettings?: string,
): BackendChoice {
  const given = env[VARIABLE]?.trim()
  if (given) {
    const isOutside = outsideOf(file, env)[VARIABLE] !== undefined
    return { backend: given, source: isOutside ? 'environment' : '.env' }
  }
  const { [VARIABLE]: setting } = withAppSettings(env, appSettings)
  return setting?.trim()
    ? { backend: setting.trim(), source: 'appsettings.json' }
    : { backend: 'kv-oauth', source: 'default' }
}

/** `netscript auth backend set` */
export async function setBackend(name: string): Promise<void> {
  backendEntry(name)
  const oldText = await readEnvFile()
  const text = setEnvVariables(oldText, { [VARIABLE]: name })
  const env = environmentWith(text, oldText)
  if (text !== oldText) await writeEnvFile(text)
  print(`${VARIABLE} is ${name} in .env.`)
  if (env[VARIABLE] !== name) {
    print(`But it is ${env[VARIABLE]} in the environment, which wins. Unset it there.`)
  }
  print(`\n${needsOf(name, env)}`)
}

function needsOf(name: string, env: NodeJS.ProcessEnv): string {
  const needs = lacking(name, env)
  if (needs.length === 0) return `${name} has what it needs. See "netscript doctor".`
  const lines = needs.flatMap(({ variable, how }) => [`  ${variable}`, `    ${how}`])
  return [`${name} still needs:`, ...lines].join('\n')
}

/** The variables that a backend requires and that are missing here. */
export function lacking(name: string, env: NodeJS.ProcessEnv): BackendNeed[] {
  // With several providers each has its own variables.
  const severalProviders = Boolean(env.NETSCRIPT_AUTH_PROVIDERS?.trim())
  return backendEntry(name).needs.filter(
    ({ variable, ofProvider }) =>
      !env[variable]?.trim() && !(ofProvider === true && severalProviders),
  )
}
