import type { AuthSession, AuthUser, MeResponse } from '../auth-api.js'
import type { AuthClientError } from '../error.js'

/**
 * The known state of the session.
 *
 * - `loading`: no response yet.
 * - `signed-in`, `signed-out`: the last response of the service. `error` is set while the latest
 *   request has failed; the earlier state is kept.
 * - `unavailable`: the request failed and no earlier state is known.
 */
export type SessionSnapshot =
  | ({ readonly status: 'loading'; readonly error?: undefined } & Nobody)
  | {
      /** Discriminates the union. */
      readonly status: 'signed-in'
      /** The signed-in user; undefined in every other status. */
      readonly user: AuthUser
      /** The session of the user. */
      readonly session: AuthSession
      /** Why the latest request failed; absent when it succeeded. */
      readonly error?: AuthClientError
    }
  | ({ readonly status: 'signed-out'; readonly error?: AuthClientError } & Nobody)
  | ({ readonly status: 'unavailable'; readonly error: AuthClientError } & Nobody)

/** Lets `user` and `session` be read without narrowing on the status. */
interface Nobody {
  readonly user?: undefined
  readonly session?: undefined
}

export const LOADING: SessionSnapshot = { status: 'loading' }
export const SIGNED_OUT: SessionSnapshot = { status: 'signed-out' }

/** The snapshot after a response: the same object when nothing changed, to avoid rerenders. */
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

/** The snapshot after a failure: keeps the known state. A repeated failure changes nothing. */
export function afterFailure(known: SessionSnapshot, error: AuthClientError): SessionSnapshot {
  if (known.error?.code === error.code && known.error.status === error.status) return known
  return known.status === 'signed-in' || known.status === 'signed-out'
    ? { ...known, error }
    : { status: 'unavailable', error }
}

/** The public id of the known session; empty when signed out, undefined when unknown. */
export function sessionIdOf(known: SessionSnapshot): string | undefined {
  if (known.status === 'signed-in') return known.session.id
  return known.status === 'signed-out' ? '' : undefined
}

const unlessSame = <T>(known: T, said: T): T =>
  JSON.stringify(known) === JSON.stringify(said) ? known : said
