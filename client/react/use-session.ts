import { useMemo, useSyncExternalStore } from 'react'
import type { SessionSnapshot } from '../session-store/session-snapshot.js'
import type { SessionStore } from '../session-store/session-store.js'
import { useStore } from './auth-provider.js'

/** Who is signed in, and what can be done about it. */
export type Session = SessionSnapshot &
  Pick<SessionStore, 'refresh' | 'redirectToSignIn' | 'redirectToSignOut'>

/**
 * Who is signed in. Renders again when that changes, and is the same object until it does.
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
