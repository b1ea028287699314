import { type MemoryStore, put } from './memory-store.js'

/** A user to sign in. */
export interface TestUserInput {
  /** The user id. @default a random one */
  id?: string
  /** @default 'Test User' */
  name?: string
  email?: string
  /** @default true */
  emailVerified?: boolean
  /** Roles of the user, in all their sessions. @default [] */
  roles?: readonly string[]
  /** Scopes of the session. @default ['openid'] */
  scopes?: readonly string[]
  /** Further claims of the session. */
  claims?: Readonly<Record<string, unknown>>
  /** Authentication context class of the sign-in, for guards with `acrValues`. @default none */
  acr?: string
}

/** Stores what the provider says about a user. Returns the subject. */
export function registerUser(store: MemoryStore, input: TestUserInput): string {
  const { id, name = 'Test User', email, emailVerified = true, acr } = input
  const { roles = [], scopes = ['openid'] } = input
  const subject = id ?? email ?? name
  put(store.profiles, subject, {
    ...(id !== undefined && { userId: id }),
    user: { displayName: name, ...(email !== undefined && { email, emailVerified }) },
    roles,
    scopes,
    claims: {
      sub: subject,
      name,
      ...(email !== undefined && { email, email_verified: emailVerified }),
      ...input.claims,
    },
    ...(acr !== undefined && { acr }),
  })
  const userId = store.accounts.get(subject)?.userId
  for (const row of store.sessions.values()) {
    if (row.session.userId === userId) row.session = { ...row.session, roles: [...roles] }
  }
  return subject
}
