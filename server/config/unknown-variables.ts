import { backendEntry, backendNames } from '../backends.js'
import { isPresetName } from '@netscript/auth-kv-oauth'
import { ADMISSION_VARIABLES, PROVIDER_VARIABLES, variablePrefix } from './providers.js'
import { VARIABLES } from './variables.js'

const PREFIX = 'NETSCRIPT_AUTH_'

/** Largest edit distance that counts as a typing error. */
const TYPING_ERRORS = 2

/**
 * Returns a sentence for each variable whose name suggests this service but that is not read. It suggests
 * the variable that was probably meant and never shows values. An empty variable counts as not set.
 *
 * @param providers The ids in NETSCRIPT_AUTH_PROVIDERS.
 */
export function unknownVariables(env: NodeJS.ProcessEnv, providers: readonly string[]): string[] {
  const known = new Set([
    ...Object.keys(VARIABLES).filter(
      (name) => providers.length === 0 || !OF_ONE_PROVIDER.has(name),
    ),
    ...providers.flatMap((id) =>
      [...PROVIDER_VARIABLES, ...ADMISSION_VARIABLES].map((name) => variablePrefix(id) + name),
    ),
  ])
  return Object.entries(env).flatMap(([name, value]) => {
    const reason =
      value?.trim() && !known.has(name) ? whyNotRead(name, known, providers) : undefined
    return reason === undefined
      ? []
      : [`${name.replace(/[^\x20-\x7e]/g, '?')} is not read${reason}`]
  })
}

/** Variables without the service's prefix that backends need, such as DATABASE_URL. */
const OF_BACKENDS = new Set(
  backendNames.flatMap((name) => backendEntry(name).needs.map(({ variable }) => variable)),
)

/** Variables of a single provider, which are ignored when NETSCRIPT_AUTH_PROVIDERS is set. */
const OF_ONE_PROVIDER = new Set(
  // Several providers derive their redirect URIs from the shared one.
  ['PROVIDER_ID', ...PROVIDER_VARIABLES.filter((name) => name !== 'REDIRECT_URI')].map(
    (name) => PREFIX + name,
  ),
)

function whyNotRead(
  name: string,
  known: ReadonlySet<string>,
  [first = '']: readonly string[],
): string | undefined {
  if (OF_ONE_PROVIDER.has(name)) {
    const instead = variablePrefix(first) + name.slice(PREFIX.length)
    return known.has(instead)
      ? `, since NETSCRIPT_AUTH_PROVIDERS is set. Write ${instead}.`
      : ', since NETSCRIPT_AUTH_PROVIDERS is set. Remove it.'
  }
  // A byte order mark, or the space that a Docker env file keeps.
  const visible = name.replace(/[^\x21-\x7e]/g, '')
  if (known.has(visible)) return `: its name has an invisible character. Write ${visible}.`
  const meant = visible.toUpperCase()
  const nearest =
    nearestOf(meant, known, TYPING_ERRORS) ??
    nearestOf(meant.replace(/^NETSCRIPT_(?!AUTH_)/, PREFIX), known, TYPING_ERRORS)
  const id = unlistedProvider(meant)
  if (id !== undefined && (nearest === undefined || isPresetName(id))) {
    return `: NETSCRIPT_AUTH_PROVIDERS does not list ${id}.`
  }
  const setting = meant.slice(PREFIX.length)
  if (meant.startsWith(PREFIX) && (known.has(setting) || OF_BACKENDS.has(setting))) {
    return `. Did you mean ${setting}?`
  }
  if (nearest !== undefined) return `. Did you mean ${nearest}?`
  if (!meant.startsWith(PREFIX)) return undefined
  const alike =
    [...known].find((one) => `${one}_`.includes(`_${setting}_`)) ??
    nearestOf(meant, known, Math.floor(setting.length / 3))
  return alike === undefined ? ': there is no such variable.' : `. Did you mean ${alike}?`
}

/** The provider id in a variable's name, such as `github`. */
function unlistedProvider(meant: string): string | undefined {
  const setting = [...PROVIDER_VARIABLES, ...ADMISSION_VARIABLES].find((one) =>
    meant.endsWith(`_${one}`),
  )
  if (setting === undefined || !meant.startsWith(PREFIX)) return undefined
  const id = meant.slice(PREFIX.length, -setting.length - 1)
  return id === '' ? undefined : id.toLowerCase().replaceAll('_', '-')
}

/** The known name with the smallest edit distance, up to the given maximum. */
function nearestOf(name: string, known: ReadonlySet<string>, atMost: number): string | undefined {
  let nearest: string | undefined
  let limit = atMost
  for (const one of known) {
    if (!one.startsWith(PREFIX) || Math.abs(one.length - name.length) > limit) continue
    const wrong = editDistance(name, one)
    if (wrong > limit || (wrong === limit && nearest !== undefined)) continue
    nearest = one
    limit = wrong
  }
  return nearest
}

/** Damerau-Levenshtein distance: letters to insert, remove, replace or transpose. */
function editDistance(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [
    [],
    Array.from({ length: b.length + 1 }, (_, j) => j),
  ]
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? (beforeLast[j - 2] ?? Infinity) + 1 : Infinity
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    ;[beforeLast, last] = [last, row]
  }
  return last[b.length] ?? 0
}
