'use client'
/**
 * Hooks and components that show the session and start sign-in and sign-out, for React 18 and 19.
 *
 * @module
 */
export {
  type Accounts,
  AuthProvider,
  type AuthProviderProps,
  type Session,
  useAccounts,
  useAuthClient,
  useSession,
} from './hooks.js'
export {
  RequireAuth,
  type RequireAuthProps,
  SignInButton,
  type SignInButtonProps,
  SignOutButton,
  type SignOutButtonProps,
} from './components.js'
