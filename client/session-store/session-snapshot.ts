import type { AuthSession, AuthUser, MeResponse } from '../auth-api.js'
import type { AuthClientError } from '../error.js'

/**
 * What is known of who is signed in.
 *
 * - `loading`: nobody has answered yet.
 * - `signed-in`, `signed-out`: what the service said last. `error` is there while the last question
 *   failed; what was known before stays.
 * - `unavailable`: nothing is known, and the question failed.
 */
export type SessionSnapshot =
  | ({ readonly status: 'loading'; readonly error?: undefined } & Nobody)
  | {
      /** What is known, in a word. */
      readonly status: 'signed-in'
      /** Who is signed in; undefined when nobody is, or nothing is known. */
      readonly user: AuthUser
      /** Their session. */
      readonly session: AuthSession
      /** Why the last question failed; absent when it did not. */
      readonly error?: AuthClientError
    }
  | ({ readonly status: 'signed-out'; readonly error?: AuthClientError } & Nobody)
  | ({ readonly status: 'unavailable'; readonly error: AuthClientError } & Nobody)

/** Lets `user` be read without asking for the status. */
interface Nobody {
  readonly user?: undefined
  readonly session?: undefined
}

/** Nobody has answered yet. */
export const LOADING: SessionSnapshot = { status: 'loading' }
/** Nobody is signed in. */
export const SIGNED_OUT: SessionSnapshot = { status: 'signed-out' }

/** What is known after an answer: the object from before when a reader sees no difference. */
export function afterAnswer(known: SessionSnapshot, me: MeResponse): SessionSnapshot {
  if (!me.authenticated) {
    return known.status === 'signed-out' && !known.error ? known : SIGNED_OUT
  }
  if (known.status !== 'signed-in') {
    return { status: 'signed-in', user: me.user, session: me.session }
  }
  const user = unlessSame(known.user, me.user)
  const session = unlessSame(known.session, me.session)
  return user === known.user && session === known.session && !known.error
    ? known
    : { status: 'signed-in', user, session }
}

/** What is known after a failure: nothing is forgotten. The same failure again is no difference. */
export function afterFailure(known: SessionSnapshot, error: AuthClientError): SessionSnapshot {
  if (known.error?.code === error.code && known.error.status === error.status) return known
  return known.status === 'signed-in' || known.status === 'signed-out'
    ? { ...known, error }
    : { status: 'unavailable', error }
}

/** The public id of the session that is known; empty for nobody, undefined when nothing is known. */
export function sessionIdOf(known: SessionSnapshot): string | undefined {
  if (known.status === 'signed-in') return known.session.id
  return known.status === 'signed-out' ? '' : undefined
}

const unlessSame = <T>(known: T, said: T): T =>
  JSON.stringify(known) === JSON.stringify(said) ? known : said
