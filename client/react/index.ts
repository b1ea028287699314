'use client'
/**
 * Hooks and components that show the session and start sign-in and sign-out, for React 18 and 19.
 *
 * @module
 */
export { AuthProvider, type AuthProviderProps, useAuthClient } from './auth-provider.js'
export { RequireAuth, type RequireAuthProps } from './require-auth.js'
export { SignInButton, type SignInButtonProps } from './sign-in-button.js'
export { SignOutButton, type SignOutButtonProps } from './sign-out-button.js'
export { type Session, useSession } from './use-session.js'
