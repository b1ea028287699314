import { useMemo, useSyncExternalStore } from 'react'
import type { SessionSnapshot } from '../session-store/session-snapshot.js'
import type { SessionStore } from '../session-store/session-store.js'
import { useStore } from './auth-provider.js'

/** The session snapshot and the actions of the store. */
export type Session = SessionSnapshot &
  Pick<SessionStore, 'refresh' | 'redirectToSignIn' | 'redirectToSignOut'>

/**
 * The current session. Rerenders the component when it changes; the object is stable until then.
 *
 * @throws Error outside an AuthProvider.
 *
 * @example
 * ```tsx
 * function Greeting() {
 *   const { status, user } = useSession()
 *   return status === 'loading' ? null : <p>Hello {user?.displayName ?? 'stranger'}</p>
 * }
 * ```
 */
export function useSession(): Session {
  const store = useStore('useSession()')
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot)
  return useMemo(() => {
    const { refresh, redirectToSignIn, redirectToSignOut } = store
    return { ...snapshot, refresh, redirectToSignIn, redirectToSignOut }
  }, [snapshot, store])
}
