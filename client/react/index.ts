'use client'
/**
 * Hooks and components that show the session and start sign-in and sign-out, for React 18 and 19.
 *
 * @module
 */
export {
  AuthProvider,
  type AuthProviderProps,
  type Session,
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
export { type Accounts, useAccounts } from './hooks.js'
