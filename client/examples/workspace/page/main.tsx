import { StrictMode, useSyncExternalStore } from 'react'
import {
  AuthProvider,
  RequireAuth,
  SignInButton,
  SignOutButton,
  useSession,
} from '@netscript/auth-client/react'
import { MemberList, SIGN_IN_SCOPES } from './member-list.js'
import { SessionList } from './session-list.js'
import { createRoot } from 'react-dom/client'

function useHash(): string {
  const subscribe = (changed: () => void): (() => void) => {
    window.addEventListener('hashchange', changed)
    return () => window.removeEventListener('hashchange', changed)
  }
  return useSyncExternalStore(subscribe, () => window.location.hash)
}

/** The frame of the page: header with sign-in or sign-out, and two views. */
export function App() {
  const { status, user, session, error } = useSession()
  const isSessions = useHash() === '#sessions'
  const current = (here: boolean) => (here ? 'page' : undefined)
  return (
    <>
      <header>
        <strong>Workspace</strong>
        <nav>
          <a href="#members" aria-current={current(!isSessions)}>
            Members
          </a>
          <a href="#sessions" aria-current={current(isSessions)}>
            Sessions
          </a>
        </nav>
        {status === 'signed-in' && (
          <div className="you">
            <span>{user.displayName ?? user.email ?? 'You'}</span>
            <SignOutButton />
          </div>
        )}
        {status === 'signed-out' && <SignInButton scopes={SIGN_IN_SCOPES} />}
      </header>
      {error && (
        <p className="notice" role="status">
          The sign-in service is unavailable. What you see may be out of date.
        </p>
      )}
      <main>
        {isSessions ? (
          <RequireAuth
            fallback={<p>Sign in to see where you are signed in.</p>}
            loading={<p role="status">One moment.</p>}
            unavailable={<p>Your session cannot be checked right now.</p>}
          >
            <SessionList />
          </RequireAuth>
        ) : (
          <MemberList key={session?.id} workspace="demo" />
        )}
      </main>
    </>
  )
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <AuthProvider>
      <App />
    </AuthProvider>
  </StrictMode>,
)
