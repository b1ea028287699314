import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { backendNames } from '../../backends.js'
import { backendChoice } from '../auth/backend.js'
import { readEnvVariables, setEnvVariables } from '../env-file.js'
import type { Change, Workspace } from './workspace.js'

/** Keys of a package.json, by section and name. */
export type PackageEntries = Readonly<Record<string, Readonly<Record<string, string | boolean>>>>

/** The fields of a package.json that are read here. */
export interface PackageJson {
  type?: string
  [section: string]: unknown
}

/** The package.json of a workspace. */
export function readPackageJson(workspace: Workspace): PackageJson {
  return readJson(workspace, 'package.json')
}

/** Adds missing entries to a package.json; existing entries keep their order and indentation. */
export function addToPackageJson(
  workspace: Workspace,
  entries: PackageEntries,
): { change: Change | undefined; added: PackageEntries } {
  const contents = readPackageJson(workspace)
  const added: Record<string, PackageEntries[string]> = {}
  for (const [section, values] of Object.entries(entries)) {
    const existing = (contents[section] ?? {}) as PackageEntries[string]
    const missing = Object.entries(values).filter(
      ([name]) => existing[name] === undefined && !isDependency(contents, section, name),
    )
    if (missing.length === 0) continue
    added[section] = Object.fromEntries(missing)
    const merged = { ...existing, ...added[section] }
    contents[section] = section === 'scripts' ? merged : sortKeys(merged)
  }
  return { change: jsonChange(workspace, 'package.json', contents), added }
}

/** A package may also be a development dependency, and npm rejects an override of a direct dependency. */
function isDependency(contents: PackageJson, section: string, name: string): boolean {
  return !['scripts', 'allowScripts'].includes(section) && hasDependency(contents, name)
}

/** Whether a package.json has a direct dependency on a package. */
export function hasDependency(contents: PackageJson, name: string): boolean {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].some(
    (section) => (contents[section] as Record<string, string> | undefined)?.[name] !== undefined,
  )
}

/** Sets `auth.backend` in appsettings.json when no backend is chosen yet. */
export function addToAppSettings(workspace: Workspace): Change | undefined {
  const settings =
    workspace.read(APP_SETTINGS) === undefined ? {} : readJson(workspace, APP_SETTINGS)
  const section = (settings.auth ?? settings.Auth ?? {}) as Record<string, unknown>
  if ((section.backend ?? section.Backend) !== undefined) return undefined
  const name = settings.Auth === undefined ? 'auth' : 'Auth'
  const change = jsonChange(workspace, APP_SETTINGS, {
    ...settings,
    [name]: { ...section, backend: DEFAULT_BACKEND },
  })
  // Other sections may hold secrets, such as connection strings.
  const shown = `${JSON.stringify({ [name]: { backend: DEFAULT_BACKEND } }, null, 2)}\n`
  return change && { ...change, shown }
}

/** The backend chosen by appsettings.json or the environment, read as the service does. */
export function chosenBackend(workspace: Workspace): string {
  const { backend } = backendChoice(process.env, {}, join(workspace.root, APP_SETTINGS))
  return backendNames.includes(backend) ? backend : DEFAULT_BACKEND
}

/** The default backend of a new workspace. */
export const DEFAULT_BACKEND = 'kv-oauth'

/** The service's settings file for values that are not secret. */
export const APP_SETTINGS = 'appsettings.json'

/** Removes entries from a package.json that were added and are unmodified. */
export function removeFromPackageJson(
  workspace: Workspace,
  entries: PackageEntries,
): Change | undefined {
  const contents = readPackageJson(workspace)
  for (const [section, values] of Object.entries(entries)) {
    const existing = Object.entries((contents[section] ?? {}) as PackageEntries[string])
    const rest = existing.filter(([name, value]) => values[name] !== value)
    if (rest.length > 0) contents[section] = Object.fromEntries(rest)
    else delete contents[section]
  }
  return jsonChange(workspace, 'package.json', contents)
}

/** Removes `auth.backend` from appsettings.json; `undefined` when the user changed it. */
export function removeFromAppSettings(workspace: Workspace, backend: string): object | undefined {
  if (workspace.read(APP_SETTINGS) === undefined) return undefined
  const settings = readJson(workspace, APP_SETTINGS)
  for (const name of ['auth', 'Auth']) {
    const section = settings[name] as Record<string, unknown> | undefined
    if (section?.backend !== backend) continue
    const { backend: _removed, ...rest } = section
    const { [name]: _section, ...others } = settings
    return Object.keys(rest).length > 0 ? { ...settings, [name]: rest } : others
  }
  return undefined
}

/** Adds the lines that a .gitignore lacks. */
export function addToGitignore(workspace: Workspace, lines: readonly string[]): Change | undefined {
  const before = workspace.read('.gitignore')
  const existing = new Set(before?.split('\n').map((line) => line.trim().replace(/^\/|\/$/g, '')))
  const missing = lines.filter((line) => !existing.has(line.replace(/^\/|\/$/g, '')))
  if (missing.length === 0) return undefined
  const start = before === undefined || before === '' || before.endsWith('\n') ? '' : '\n'
  return { path: '.gitignore', before, after: `${before ?? ''}${start}${missing.join('\n')}\n` }
}

/** Adds missing variables to a .env, except those for which `isKnown` is true. */
export function addToEnv(
  workspace: Workspace,
  values: Readonly<Record<string, string>>,
  isKnown: (name: string) => boolean,
): Change | undefined {
  const before = workspace.read('.env')
  const present = readEnvVariables(`${before ?? ''}\n`)
  const missing = Object.entries(values).filter(
    ([name]) => present[name] === undefined && !isKnown(name),
  )
  if (missing.length === 0) return undefined
  const after = setEnvVariables(before ?? '', Object.fromEntries(missing))
  // Show nothing of the file itself: a secret can span several lines or be commented out.
  const shown = missing.map(([name]) => `${name}=<hidden>\n`).join('')
  return { path: '.env', before, after, secret: true, shown }
}

/** Generates a random secret of 32 bytes. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Reads the JSON object in a file. */
function readJson(workspace: Workspace, path: string): Record<string, unknown> {
  try {
    return JSON.parse(workspace.read(path) ?? '') as Record<string, unknown>
  } catch (cause) {
    throw new AuthConfigurationError(`${path} is no valid JSON. Correct it.`, { cause })
  }
}

/**
 * Creates the change that writes `contents` with the file's indentation; `undefined` when nothing
 * changes.
 */
export function jsonChange(
  workspace: Workspace,
  path: string,
  contents: object,
): Change | undefined {
  const before = workspace.read(path)
  const indentation = /^([ \t]+)"/m.exec(before ?? '')?.[1] ?? '  '
  if (before !== undefined && JSON.stringify(contents) === JSON.stringify(JSON.parse(before))) {
    return undefined
  }
  return { path, before, after: `${JSON.stringify(contents, null, indentation)}\n` }
}

function sortKeys(record: PackageEntries[string]): PackageEntries[string] {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
