import { createElement, type ReactNode } from 'react'
import type { SigninInput } from '../auth-api.js'
import { AuthForm, type ButtonProps } from './auth-form.js'
import { useStore } from './auth-provider.js'

/** Props of {@link SignInButton}: the input of signin, and attributes of the button. */
export interface SignInButtonProps extends SigninInput, ButtonProps {}

/**
 * A button that starts a sign-in. Without `redirectTo`, the user returns to the current page.
 *
 * @example
 * ```tsx
 * <SignInButton providerId="google">Sign in with Google</SignInButton>
 * ```
 */
export function SignInButton(props: SignInButtonProps): ReactNode {
  const { providerId, redirectTo, loginHint, scopes, children = 'Sign in', ...button } = props
  return createElement(AuthForm, {
    store: useStore('<SignInButton>'),
    route: 'signin',
    fields: { redirectTo, providerId, loginHint, scopes: scopes?.join(' ') },
    button: { ...button, children },
  })
}
