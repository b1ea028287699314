import { type ComponentProps, createElement, type FormEvent, type ReactNode } from 'react'
import { ROUTES } from '../routes.js'
import { currentPage } from '../session-store/current-page.js'
import type { SessionStore } from '../session-store/session-store.js'

/** Attributes of the button, except those that the form sets. */
export type ButtonProps = Omit<ComponentProps<'button'>, 'type' | 'name' | 'value' | 'form'>

/**
 * A button in a form that posts to the service, so that it works before hydration and without
 * JavaScript. Fields without a value are sent empty, which the service ignores. Without a given
 * return address, the current page is filled in on submit.
 */
export function AuthForm({
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
