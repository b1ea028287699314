import { createElement, type ReactNode } from 'react'
import { SignInButton } from './sign-in-button.js'
import { useSession } from './use-session.js'

/** Props of {@link RequireAuth}. */
export interface RequireAuthProps {
  /** Shown when signed out. @default <SignInButton /> */
  fallback?: ReactNode
  /** Shown until the first response. @default nothing */
  loading?: ReactNode
  /** Shown when the service is unavailable and the status is unknown. @default nothing */
  unavailable?: ReactNode
  /** Shown when signed in. */
  children?: ReactNode
}

/**
 * Renders its children only for a signed-in user. It does not redirect. It is not a security
 * boundary: the service that holds protected data must authorize requests itself.
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
