/** A user as a test describes them. */
export interface WorkosPerson {
  id: string
  email?: string
  firstName?: string
  lastName?: string
  emailVerified?: boolean
  profilePictureUrl?: string
}

const SINCE = '2026-01-01T00:00:00.000Z'

/** The user as the API of WorkOS returns them. */
export function toUserResponse(person: WorkosPerson) {
  return {
    object: 'user',
    id: person.id,
    email: person.email ?? `${person.id}@example.com`,
    email_verified: person.emailVerified ?? true,
    first_name: person.firstName ?? null,
    last_name: person.lastName ?? null,
    profile_picture_url: person.profilePictureUrl ?? null,
    last_sign_in_at: null,
    created_at: SINCE,
    updated_at: SINCE,
  }
}

/** The user as the SDK seals them into a cookie. */
export function toSealedUser(person: WorkosPerson) {
  return {
    object: 'user',
    id: person.id,
    email: person.email ?? `${person.id}@example.com`,
    emailVerified: person.emailVerified ?? true,
    firstName: person.firstName ?? null,
    lastName: person.lastName ?? null,
    profilePictureUrl: person.profilePictureUrl ?? null,
    lastSignInAt: null,
    locale: null,
    createdAt: SINCE,
    updatedAt: SINCE,
    externalId: null,
    metadata: {},
  }
}
