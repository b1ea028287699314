const ROLES_CLAIM = 'roles'
const MAX_PATH = 256
/** At most 256 characters, none of them a control character or a lone surrogate. */
const ROLE = /^(?=.*\S)[^\p{Cc}\p{Surrogate}]{1,256}$/u
/** What every object inherits; as the member of a path it is a mistake or an attack. */
const INHERITED = new Set(['__proto__', 'constructor', 'prototype'])

/** Roles as a provider sends them. */
export interface FoundRoles {
  /** Each once, in the order of the provider. */
  readonly roles: readonly string[]
  /** How many values are no roles: not text, blank, too long, or with control characters. */
  readonly refused: number
}

/**
 * The roles in the claim that a path names. A list has one role for each text in it; a text is one
 * role and is never split, since the names of groups have spaces and commas in them. Anything else
 * grants nothing.
 *
 * @returns `undefined` when the claim is missing or null.
 */
export function readRoles(claims: unknown, path = ROLES_CLAIM): FoundRoles | undefined {
  const found = claimAt(claims, path)
  if (found === undefined || found === null) return undefined
  const values: unknown[] = Array.isArray(found) ? found : [found]
  const roles = values.filter((value) => typeof value === 'string' && ROLE.test(value)) as string[]
  return { roles: [...new Set(roles)], refused: values.length - roles.length }
}

/**
 * What is at a path of names separated by dots, such as `realm_access.roles` or `images.0.url`. A
 * name may have dots itself (`https://example.com/roles`): at each level the longest one that is
 * there counts. Inherited members are never found.
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

/** Whether {@link claimAt} can find something at a path. */
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
