import { createElement, StrictMode, useState } from 'react'
import {
  AuthProvider,
  type AuthProviderProps,
  RequireAuth,
  SignInButton,
  SignOutButton,
  useSession,
} from '../../../client/react/index.js'

declare global {
  /** Every status that was rendered, without repetitions. */
  var rendered: string[]
}

/** A page that shows all that is known of who is signed in, twice, and both buttons; or less. */
export function SessionPage(props: AuthProviderProps) {
  const [isLess, setLess] = useState(false)
  return createElement(
    StrictMode,
    null,
    createElement(
      AuthProvider,
      props,
      !isLess && createElement(Who),
      !isLess && createElement(RequireAuth, { fallback: 'members only' }, createElement(Who)),
      createElement(SignInButton, { id: 'in' }),
      createElement(SignOutButton, { id: 'out' }),
      createElement('button', { onClick: () => setLess(!isLess) }, 'Toggle'),
    ),
  )
}

function Who() {
  const { status, user, error } = useSession()
  globalThis.rendered ??= []
  if (globalThis.rendered.at(-1) !== status) globalThis.rendered.push(status)
  return createElement('p', null, [status, user?.displayName, error?.code].join(' ').trim())
}
