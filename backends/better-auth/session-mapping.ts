import type { BetterAuthOptions } from 'better-auth'
import { z } from 'zod'
import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { isoInstant } from '@netscript/plugin-auth-core/internal'

/** What of better-auth's session row is used; the token and the address are cut off here. */
const SessionRow = z.object({
  id: z.string().min(1),
  userId: z.string().min(1),
  createdAt: z.coerce.date(),
  updatedAt: z.coerce.date(),
  expiresAt: z.coerce.date(),
  userAgent: z.string().nullish(),
  activeOrganizationId: z.string().nullish(),
  activeTeamId: z.string().nullish(),
  impersonatedBy: z.string().nullish(),
  activeOrganizationRole: z.unknown().optional(),
  activeOrganizationRoles: z.unknown().optional(),
  activeOrganizationPermissions: z.unknown().optional(),
  roles: z.unknown().optional(),
  permissions: z.unknown().optional(),
})
export type SessionRow = z.output<typeof SessionRow>

/** What of better-auth's user row is used. */
const UserRow = z.object({
  id: z.string().min(1),
  name: z.string().nullish(),
  email: z.string().nullish(),
  emailVerified: z.boolean().nullish(),
  image: z.string().nullish(),
  role: z.unknown().optional(),
  roles: z.unknown().optional(),
  permissions: z.unknown().optional(),
})
export type UserRow = z.output<typeof UserRow>

/** A session and its user as better-auth returns them, whatever plugins add to them. */
export const SessionAndUser = z.object({ session: SessionRow, user: UserRow })
export type SessionAndUser = z.output<typeof SessionAndUser>

export const parseSessionRow = (row: unknown): SessionRow => SessionRow.parse(row)
export const parseUserRow = (row: unknown): UserRow => UserRow.parse(row)

/** The session as the wire shows it: never the token, the address or the user agent. */
export function toAuthSession({ session, user }: SessionAndUser): AuthSession {
  return {
    id: session.id,
    userId: user.id,
    subject: user.id,
    providerId: 'better-auth',
    state: 'active',
    scopes: names(session.activeOrganizationPermissions, session.permissions, user.permissions),
    roles: names(
      commaSeparated(user.role),
      commaSeparated(session.activeOrganizationRole),
      user.roles,
      session.activeOrganizationRoles,
      session.roles,
    ),
    claims: {
      ...(session.activeOrganizationId && { organizationId: session.activeOrganizationId }),
      ...(session.activeTeamId && { teamId: session.activeTeamId }),
      ...(session.impersonatedBy && { impersonatedBy: session.impersonatedBy }),
    },
    issuedAt: isoInstant(session.createdAt.getTime()),
    expiresAt: isoInstant(session.expiresAt.getTime()),
    refreshedAt: isoInstant(session.updatedAt.getTime()),
  }
}

/** The person as the wire shows them. */
export function toAuthUser(user: UserRow): AuthUser {
  return {
    id: user.id,
    ...(user.name && { displayName: user.name }),
    ...(user.email && { email: user.email }),
    ...(typeof user.emailVerified === 'boolean' && { emailVerified: user.emailVerified }),
    ...(user.image && { imageUrl: user.image }),
  }
}

/** The admin and organization plugins keep several roles in one string. */
const commaSeparated = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value

/** The strings of the lists, each once; anything that is not a string is not a name. */
function names(...lists: readonly unknown[]): string[] {
  const found = lists.flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
  return [
    ...new Set(found.filter((item): item is string => typeof item === 'string' && item !== '')),
  ]
}

/** The fields that {@link toAuthSession} makes scopes and roles of. */
const GRANTING_FIELDS = {
  user: ['role', 'roles', 'permissions'],
  session: [
    'roles',
    'permissions',
    'activeOrganizationRole',
    'activeOrganizationRoles',
    'activeOrganizationPermissions',
  ],
} as const

/**
 * Refuses fields that grant roles or scopes and that better-auth takes from the user, as it does with
 * every additional field (sign-up, update-user, update-session) unless told otherwise.
 *
 * @throws AuthConfigurationError that names the field.
 */
export function assertRolesAreAssigned(options: BetterAuthOptions): void {
  for (const model of ['user', 'session'] as const) {
    const fields: Record<string, { input?: boolean | undefined }> = {
      ...options[model]?.additionalFields,
    }
    for (const plugin of options.plugins ?? []) {
      Object.assign(fields, plugin.schema?.[model]?.fields)
    }
    for (const name of GRANTING_FIELDS[model]) {
      if (!Object.hasOwn(fields, name) || fields[name]?.input === false) continue
      throw new AuthConfigurationError(
        `\`${model}.additionalFields.${name}\` of better-auth grants what its users may do, and they could set it themselves. Add \`input: false\` to it.`,
      )
    }
  }
}
