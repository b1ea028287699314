import { html, type Html } from './html.js'

/** Up to two initials of a name, in place of a picture; `?` when it has no letters. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}][^\s]*/gu) ?? []
  const [first, last] = [words.at(0), words.length > 1 ? words.at(-1) : undefined]
  const letters = [first, last].map((word) => (word === undefined ? '' : [...word][0]))
  return letters.join('').toLocaleUpperCase('en') || '?'
}

/**
 * Renders a user's avatar: initials, since loading a remote picture would disclose the sign-in to its
 * host.
 */
export function portrait(name: string): Html {
  return html`<span class="initials" aria-hidden="true">${initials(name)}</span>`
}
