import { useCallback, useEffect, useRef, useState } from 'react'
import type { LinkedAccount } from '../auth-api.js'
import type { AuthClientError } from '../error.js'
import { useSession, useStore } from './auth-provider.js'

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
