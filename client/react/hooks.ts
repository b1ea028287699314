import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import type { AuthClient, LinkedAccount } from '../auth-api.js'
import {
  createSessionStore,
  type SessionStore,
  type SessionStoreOptions,
} from '../session-store/session-store.js'
import type { SessionSnapshot } from '../session-store/session-snapshot.js'
import type { AuthClientError } from '../error.js'

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

/** The provider accounts of the signed-in user, and what they can do with them. */
export interface Accounts {
  /** Every account, the oldest first. Absent until the first response, and when signed out. */
  readonly accounts?: readonly LinkedAccount[]
  /** Why the accounts could not be read; those of an earlier response stay. */
  readonly error?: AuthClientError
  /**
   * Navigates to a provider to add an account there, or to a recent sign-in, which this needs; the user
   * returns to the current page.
   */
  readonly link: (providerId: string) => Promise<void>
  /** Removes an account, or navigates to a recent sign-in, which this needs. */
  readonly unlink: (accountId: string) => Promise<void>
  /** Reads the accounts again. */
  readonly refresh: () => Promise<void>
}

type State = Pick<Accounts, 'accounts' | 'error'>

/**
 * The provider accounts of the signed-in user.
 *
 * @throws Error outside an AuthProvider.
 *
 * @example
 * ```tsx
 * function SignInMethods() {
 *   const { accounts = [], link, unlink } = useAccounts()
 *   return (
 *     <>
 *       {accounts.map(({ id, providerId }) => (
 *         <button key={id} onClick={() => unlink(id)}>Remove {providerId}</button>
 *       ))}
 *       <button onClick={() => link('github')}>Add GitHub</button>
 *     </>
 *   )
 * }
 * ```
 */
export function useAccounts(): Accounts {
  const store = useStore('useAccounts()')
  const sessionId = useSession().session?.id
  const [state, setState] = useState<State>({})
  const current = useRef(sessionId)
  useEffect(() => {
    current.current = sessionId
  }, [sessionId])

  const refresh = useCallback(async () => {
    const next: State =
      sessionId === undefined
        ? {}
        : await store.client.accounts().catch((error: AuthClientError) => ({ error }))
    // The answer for a session that has ended meanwhile is of another user.
    if (current.current !== sessionId) return
    setState((before) => ('error' in next ? { ...before, ...next } : next))
  }, [store, sessionId])
  useEffect(() => {
    setState({})
    void refresh()
  }, [refresh])

  /** Runs a change. If it needs a recent sign-in, the page leaves for one. */
  const change = useCallback(
    (run: () => Promise<void>) =>
      run().catch(async (error: unknown) => {
        if (!(await store.stepUp(error))) throw error
      }),
    [store],
  )
  const link = useCallback(
    (providerId: string) => change(() => store.redirectToSignIn({ providerId, link: true })),
    [change, store],
  )
  const unlink = useCallback(
    (accountId: string) =>
      change(async () => {
        const { signedOut } = await store.client.unlinkAccount(accountId)
        await (signedOut ? store.refresh() : refresh())
      }),
    [change, refresh, store],
  )
  return { ...state, link, unlink, refresh }
}
