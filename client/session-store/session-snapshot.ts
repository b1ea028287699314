import type { AuthSession, AuthUser, MeResponse } from '../auth-api.js'
import type { AuthClientError } from '../error.js'

/** What is known of who is signed in; `status` tells the cases apart. */
export type SessionSnapshot =
  | {
      /** Nobody has answered yet. */
      readonly status: 'loading'
      /** Nothing has failed yet. */
      readonly error?: undefined
    }
  | {
      /** The service said so last. */
      readonly status: 'signed-in'
      /** Who. */
      readonly user: AuthUser
      /** With what. */
      readonly session: AuthSession
      /** There while the last question failed; what was known before stays. */
      readonly error?: AuthClientError
    }
  | {
      /** The service said so last. */
      readonly status: 'signed-out'
      /** There while the last question failed; what was known before stays. */
      readonly error?: AuthClientError
    }
  | {
      /** Nothing is known, and the question failed. */
      readonly status: 'unavailable'
      /** Why. */
      readonly error: AuthClientError
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
