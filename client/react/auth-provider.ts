import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
} from 'react'
import type { AuthClient } from '../auth-api.js'
import {
  createSessionStore,
  type SessionStore,
  type SessionStoreOptions,
} from '../session-store/session-store.js'

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
