import { type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import type { FoundRoles } from './roles.js'
import type { SessionRecord } from './session-store.js'

const MAX_ROLES_BYTES = 4096

/** The roles of a user, by their source. */
interface RolesBySource {
  readonly operator: readonly string[]
  readonly admit: readonly string[]
  readonly provider: readonly string[]
}

/** The roles in a session, by their source. */
export function rolesBySource({ roles, rolesBySource: given }: SessionRecord): RolesBySource {
  const { operator = [], admit = [], provider = [] } = given ?? {}
  const others = new Set([...operator, ...admit])
  return {
    operator,
    admit,
    provider: roles.filter((role) => !others.has(role) || provider.includes(role)),
  }
}

/**
 * The roles for a session, as many as fit into the entry: first those of the operator, then those of
 * `admit`, then those of the provider. Dropped roles are logged, because a user who lacks a role is
 * refused without an obvious reason.
 */
export function rolesOf(
  record: SessionRecord,
  found: {
    readonly operator: readonly string[]
    readonly admit: readonly string[]
    readonly provider: FoundRoles | undefined
  },
  log: AuthLog,
): Pick<SessionRecord, 'roles' | 'rolesBySource'> {
  const { operator, admit } = found
  const provider = found.provider?.roles ?? []
  const own = new Set([...operator, ...admit])
  const both = new Set(provider.filter((role) => own.has(role)))
  const none = own.size > 0 ? { operator: [], admit: [], provider: [] } : undefined
  const room = Math.min(roomIn({ ...record, roles: [], rolesBySource: none }), MAX_ROLES_BYTES)
  const lists = [operator, admit, [...both]]
  const { kept, dropped } = withinRoom(
    [...new Set([...own, ...provider])],
    room,
    (role) => 1 + lists.filter((list) => list.includes(role)).length,
  )
  const refused = found.provider?.refused ?? 0
  if (dropped.length > 0 || refused > 0) {
    log.warn(
      {
        event: 'session.roles-cut',
        provider: record.providerId,
        sessionId: record.id,
        dropped: dropped.length,
        refused,
        names: dropped.slice(0, 10),
      },
      'A session lacks roles of its user: there is no room for all, or some are no roles.',
    )
  }
  const from = (source: { has(role: string): boolean }): readonly string[] =>
    kept.filter((role) => source.has(role))
  return {
    roles: kept,
    rolesBySource: none && {
      ...(operator.length > 0 && { operator: from(new Set(operator)) }),
      admit: from(new Set(admit)),
      provider: from(both),
    },
  }
}

/** The changes to a session for other roles of the operator; `undefined` if it has them already. */
export function operatorRolesChange(
  record: SessionRecord,
  operator: readonly string[],
  log: AuthLog = silentLog,
): Pick<SessionRecord, 'roles' | 'rolesBySource'> | undefined {
  const { operator: before, admit, provider } = rolesBySource(record)
  const same = new Set(before)
  if (same.size === operator.length && operator.every((role) => same.has(role))) return undefined
  return rolesOf(record, { operator, admit, provider: { roles: provider, refused: 0 } }, log)
}

/** Limits a stored entry to 8 KiB, with 128 bytes for what Keyv adds. */
const MAX_ENTRY_BYTES = 8 * 1024 - 128

/** The remaining bytes of an entry. */
export function roomIn(record: SessionRecord): number {
  return MAX_ENTRY_BYTES - Buffer.byteLength(JSON.stringify(record))
}

/**
 * Selects the items that fit; an item that is too long is skipped.
 *
 * @param copies How often the entry has an item. @default once
 */
export function withinRoom(
  items: readonly string[],
  maxBytes: number,
  copies: (item: string) => number = () => 1,
): { kept: readonly string[]; dropped: readonly string[] } {
  const [kept, dropped]: [string[], string[]] = [[], []]
  let room = maxBytes
  for (const item of items) {
    const bytes = (Buffer.byteLength(JSON.stringify(item)) + 1) * copies(item)
    if (bytes > room) {
      dropped.push(item)
    } else {
      kept.push(item)
      room -= bytes
    }
  }
  return { kept, dropped }
}
