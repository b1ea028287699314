const ROLES_CLAIM = 'roles'
const MAX_PATH = 256
/** At most 256 characters, without control characters and lone surrogates. */
const ROLE = /^(?=.*\S)[^\p{Cc}\p{Surrogate}]{1,256}$/u
/** Inherited members, which a path must not contain (prototype access). */
const INHERITED = new Set(['__proto__', 'constructor', 'prototype'])

/** The roles in a claim. */
export interface FoundRoles {
  /** Unique roles, in the order of the provider. */
  readonly roles: readonly string[]
  /** Number of invalid values: not a string, blank, too long, or with control characters. */
  readonly refused: number
}

/**
 * Reads the roles in the claim at a path. A list has one role per string. A string is one role and is
 * never split, because group names contain spaces and commas. Other types grant no role.
 *
 * @returns `undefined` when the claim is missing or null.
 */
export function readRoles(claims: unknown, path = ROLES_CLAIM): FoundRoles | undefined {
  const found = claimAt(claims, path)
  if (found === undefined || found === null) return undefined
  const values: unknown[] = Array.isArray(found) ? found : [found]
  const roles = validRoles(values)
  return { roles: [...new Set(roles)], refused: values.length - roles.length }
}

/** The part of a provider that its roles depend on. */
interface RoleSource {
  readonly rolesClaim?: string
  readonly rolesMap?: Readonly<Record<string, readonly string[]>>
  readonly isOneOfSeveral?: true
}

/** Whether roles come from the claim `roles` although neither a claim nor a map is configured. */
const isDefault = ({ rolesClaim, rolesMap }: RoleSource): boolean =>
  rolesClaim === undefined && rolesMap === undefined

/**
 * Whether the claims have roles that do not count: of one of several providers, a claim counts only if it
 * is configured, because the same role may mean different things at each.
 */
export const hasIgnoredRoles = (source: RoleSource, claims: unknown): boolean =>
  source.isOneOfSeveral === true && isDefault(source) && readRoles(claims) !== undefined

/** Reads the roles of a user at a provider. `undefined` when the claim is missing or null. */
export function rolesFrom(source: RoleSource, claims: unknown): FoundRoles | undefined {
  if (source.isOneOfSeveral && isDefault(source)) return undefined
  const found = readRoles(claims, source.rolesClaim)
  const { rolesMap } = source
  if (!found || !rolesMap) return found
  const mapped = found.roles.flatMap((role) =>
    Object.hasOwn(rolesMap, role) ? rolesMap[role]! : [],
  )
  return { ...found, roles: [...new Set(mapped)] }
}

/** The values that can be roles. */
export function validRoles(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string' && ROLE.test(value)) as string[]
}

/**
 * Returns the value at a path of names separated by dots, such as `realm_access.roles` or
 * `images.0.url`. Names may contain dots (`https://example.com/roles`): at each level the longest
 * existing name is used. Inherited members are ignored.
 */
export function claimAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const name = path.slice(0, end)
    if (INHERITED.has(name) || !Object.hasOwn(value, name)) continue
    const member = (value as Record<string, unknown>)[name]
    const found = end === path.length ? member : claimAt(member, path.slice(end + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether a path is valid for {@link claimAt}. */
export function isClaimPath(path: string): boolean {
  const names = path.split('.')
  return (
    path.length <= MAX_PATH &&
    path.trim() === path &&
    names.at(0) !== '' &&
    names.at(-1) !== '' &&
    !names.some((name) => INHERITED.has(name))
  )
}
