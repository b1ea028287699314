import { type ComponentProps, createElement, type FormEvent, type ReactNode, useRef } from 'react'
import { ROUTES } from '../generated/routes.js'
import { currentPage } from '../session-store/page.js'
import type { SessionStore } from '../session-store/session-store.js'
import type { SigninInput, SignoutInput } from '../auth-api.js'
import { useSession, useStore } from './hooks.js'

/** Attributes of the button, except those that the form sets. */
type ButtonProps = Omit<ComponentProps<'button'>, 'type' | 'name' | 'value' | 'form'>

/**
 * A button in a form that posts to the service, so that it works before hydration and without
 * JavaScript. Fields without a value are sent empty, which the service ignores. Without a given
 * return address, the current page is filled in on submit.
 */
function AuthForm({
  store,
  route,
  fields,
  button,
  onSubmit,
}: {
  store: SessionStore
  route: 'signin' | 'signout'
  /** Hidden fields, named as in the contract. */
  fields: Readonly<Record<string, string | undefined>> & { redirectTo: string | undefined }
  button: ButtonProps
  onSubmit?: (event: FormEvent<HTMLFormElement>, redirectTo: string) => void
}): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const field = event.currentTarget.elements.namedItem('redirectTo') as HTMLInputElement
    field.value = fields.redirectTo ?? currentPage().redirectTo ?? ''
    onSubmit?.(event, field.value)
  }
  return createElement(
    'form',
    { method: 'post', action: store.baseUrl + ROUTES[route].path, onSubmit: submit },
    ...Object.entries(fields).map(([name, value]) =>
      createElement('input', { key: name, type: 'hidden', name, defaultValue: value ?? '' }),
    ),
    createElement('button', { ...button, type: 'submit' }),
  )
}

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
  const { providerId, redirectTo, loginHint, scopes, ...others } = props
  const { prompt, maxAge, acrValues, uiLocales, link, children = 'Sign in', ...button } = others
  return createElement(AuthForm, {
    store: useStore('<SignInButton>'),
    route: 'signin',
    fields: {
      redirectTo,
      providerId,
      loginHint,
      scopes: scopes?.join(' '),
      prompt,
      maxAge: maxAge?.toString(),
      acrValues: acrValues?.join(' '),
      uiLocales: uiLocales?.join(' '),
      link: link?.toString(),
    },
    button: { ...button, children },
  })
}

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
