import { createElement, type ReactNode, useRef } from 'react'
import type { SignoutInput } from '../auth-api.js'
import { AuthForm, type ButtonProps } from './auth-form.js'
import { useStore } from './auth-provider.js'

/** Props of {@link SignOutButton}: the input of signout, and attributes of the button. */
export interface SignOutButtonProps extends SignoutInput, ButtonProps {}

/**
 * A button that ends the session of this browser, here and at the provider. Without `redirectTo`,
 * the user returns to the current page. The service shows errors on a page of its own.
 */
export function SignOutButton(props: SignOutButtonProps): ReactNode {
  const { everywhere = false, redirectTo, children = 'Sign out', ...button } = props
  const store = useStore('<SignOutButton>')
  const isLeaving = useRef(false)
  return createElement(AuthForm, {
    store,
    route: 'signout',
    fields: { redirectTo, everywhere: String(everywhere) },
    button: { ...button, children },
    // The store also notifies other tabs. If it fails, the plain form post still signs out.
    onSubmit(event, target) {
      const form = event.currentTarget
      event.preventDefault()
      // A second click would find no session and navigate away from the provider's logout.
      if (isLeaving.current) return
      isLeaving.current = true
      store
        .redirectToSignOut({ everywhere, ...(target && { redirectTo: target }) })
        .catch(() => form.submit())
        .finally(() => (isLeaving.current = false))
    },
  })
}
