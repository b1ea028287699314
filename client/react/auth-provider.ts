import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import type { AuthClient } from '../auth-api.js'
import {
  createSessionStore,
  type SessionStore,
  type SessionStoreOptions,
} from '../session-store/session-store.js'
import type { SessionSnapshot } from '../session-store/session-snapshot.js'

const StoreContext = createContext<SessionStore | undefined>(undefined)

/** Props of {@link AuthProvider}. They are read once; change `key` to apply new ones. */
export interface AuthProviderProps extends Pick<
  SessionStoreOptions,
  'baseUrl' | 'client' | 'initial'
> {
  /** An existing store. Replaces all other props. */
  store?: SessionStore
  children?: ReactNode
}

/**
 * Provides the session store to the hooks and components below it.
 *
 * @example
 * ```tsx
 * <AuthProvider baseUrl="https://auth.example.com" initial={me}>
 *   <App />
 * </AuthProvider>
 * ```
 */
export function AuthProvider({ store: given, children, ...options }: AuthProviderProps): ReactNode {
  const [store] = useState(() => given ?? createSessionStore(options))
  // Keeps the store running while components that use it mount and unmount.
  useEffect(() => store.subscribe(() => {}), [store])
  return createElement(StoreContext.Provider, { value: store }, children)
}

/** The store of the nearest provider. `name` is the hook or component named in the error. */
export function useStore(name: string): SessionStore {
  const store = useContext(StoreContext)
  if (store) return store
  throw new Error(`${name} is not inside an AuthProvider. Put <AuthProvider> around your app.`)
}

/** The client of the nearest {@link AuthProvider}, for calls that no hook or component covers. */
export function useAuthClient(): AuthClient {
  return useStore('useAuthClient()').client
}

/** The session snapshot and the actions of the store. */
export type Session = SessionSnapshot &
  Pick<SessionStore, 'refresh' | 'redirectToSignIn' | 'stepUp' | 'redirectToSignOut'>

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
    const { refresh, redirectToSignIn, stepUp, redirectToSignOut } = store
    return { ...snapshot, refresh, redirectToSignIn, stepUp, redirectToSignOut }
  }, [snapshot, store])
}
