import { createElement, type ReactNode, useRef } from 'react'
import type { SignoutInput } from '../auth-api.js'
import { AuthForm, type ButtonProps } from './auth-form.js'
import { useStore } from './auth-provider.js'

/** Props of {@link SignOutButton}: those of signout, and of a button. */
export interface SignOutButtonProps extends SignoutInput, ButtonProps {}

/**
 * A button that ends the session of this browser, here and at the provider. Default return address:
 * this page. What goes wrong is shown by the service.
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
    // The store tells the other tabs; without it the form does all but that.
    onSubmit(event, target) {
      const form = event.currentTarget
      event.preventDefault()
      // A second click finds no session, and would lead away from the provider's log-out.
      if (isLeaving.current) return
      isLeaving.current = true
      store
        .redirectToSignOut({ everywhere, ...(target && { redirectTo: target }) })
        .catch(() => form.submit())
        .finally(() => (isLeaving.current = false))
    },
  })
}
