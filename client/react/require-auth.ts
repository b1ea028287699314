import { createElement, type ReactNode } from 'react'
import { SignInButton } from './sign-in-button.js'
import { useSession } from './use-session.js'

/** Props of {@link RequireAuth}. */
export interface RequireAuthProps {
  /** Shown to who is signed out. Default: a SignInButton. */
  fallback?: ReactNode
  /** Shown until the service has answered. Default: nothing. */
  loading?: ReactNode
  /** Shown when nothing is known because the service is away. Default: nothing. */
  unavailable?: ReactNode
  /** Shown to who is signed in. */
  children?: ReactNode
}

/**
 * Shows its children to who is signed in, and to nobody else. It goes nowhere by itself. It keeps
 * nothing secret: what only some may know, the service that has it must refuse to others.
 *
 * @example
 * ```tsx
 * <RequireAuth loading={<Spinner />}>
 *   <Account />
 * </RequireAuth>
 * ```
 */
export function RequireAuth(props: RequireAuthProps): ReactNode {
  const { fallback = createElement(SignInButton), loading, unavailable, children } = props
  const { status } = useSession()
  if (status === 'signed-in') return children
  if (status === 'signed-out') return fallback
  return status === 'loading' ? loading : unavailable
}
