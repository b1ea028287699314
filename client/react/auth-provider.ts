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

/** Props of {@link AuthProvider}. They are read once; give another `key` to begin anew. */
export interface AuthProviderProps extends Pick<
  SessionStoreOptions,
  'baseUrl' | 'client' | 'initial'
> {
  /** A store of your own, in place of all other props. */
  store?: SessionStore
  /** Your app. */
  children?: ReactNode
}

/**
 * Tells everything inside it who is signed in.
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
  // Whoever shows a session may come and go; what is known stays true meanwhile.
  useEffect(() => store.subscribe(() => {}), [store])
  return createElement(StoreContext.Provider, { value: store }, children)
}

/** The store of the provider around, for the hook or component of this name. */
export function useStore(name: string): SessionStore {
  const store = useContext(StoreContext)
  if (store) return store
  throw new Error(`${name} is not inside an AuthProvider. Put <AuthProvider> around your app.`)
}

/** The client of the provider around, for everything else that the service can do. */
export function useAuthClient(): AuthClient {
  return useStore('useAuthClient()').client
}
