import type { BetterAuthOptions } from 'better-auth'
import { z } from 'zod'
import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import {
  isoInstant,
  type SessionPosition,
  USER_AGENT_LENGTH,
} from '@netscript/plugin-auth-core/internal'

/**
 * The fields of better-auth's session row that are used; the token and the address are stripped.
 */
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
type SessionRow = z.output<typeof SessionRow>

/** The fields of better-auth's user row that are used. */
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
type UserRow = z.output<typeof UserRow>

/** A session and its user as better-auth returns them; unknown fields are stripped. */
export const SessionAndUser = z.object({ session: SessionRow, user: UserRow })
export type SessionAndUser = z.output<typeof SessionAndUser>

export const parseSessionRow = (row: unknown): SessionRow => SessionRow.parse(row)
export const parseUserRow = (row: unknown): UserRow => UserRow.parse(row)

/** The public form of a session, without token, address and user agent. */
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

/** A session in a list. */
export const summaryOf = (found: SessionAndUser): { session: AuthSession; userAgent?: string } => {
  const userAgent = found.session.userAgent?.slice(0, USER_AGENT_LENGTH)
  return { session: toAuthSession(found), ...(userAgent && { userAgent }) }
}

/** The position of a session in a list. */
export const positionOf = ({
  createdAt,
  id,
}: {
  createdAt: Date
  id: string
}): SessionPosition => ({
  issuedAt: createdAt.getTime(),
  id,
})

/** The public form of a user. */
export function toAuthUser(user: UserRow): AuthUser {
  return {
    id: user.id,
    ...(user.name && { displayName: user.name }),
    ...(user.email && { email: user.email }),
    ...(typeof user.emailVerified === 'boolean' && { emailVerified: user.emailVerified }),
    ...(user.image && { imageUrl: user.image }),
  }
}

/** The admin and organization plugins store several roles in one string. */
const commaSeparated = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value

/** The distinct strings of the lists; other values are ignored. */
function names(...lists: readonly unknown[]): string[] {
  const found = lists.flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
  return [
    ...new Set(found.filter((item): item is string => typeof item === 'string' && item !== '')),
  ]
}

/** The fields from which {@link toAuthSession} reads scopes and roles. */
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
 * Rejects scope and role fields that users can write. better-auth accepts every additional field
 * from the user (sign-up, update-user, update-session) unless `input` is false.
 *
 * @throws AuthConfigurationError with the name of the field.
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
