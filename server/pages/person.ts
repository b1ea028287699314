import { html, type Html } from './html.js'

/** Up to two letters of a name, to stand for a picture; `?` when it has none. */
export function initials(name: string): string {
  const words = name.match(/[\p{L}\p{N}][^\s]*/gu) ?? []
  const [first, last] = [words.at(0), words.length > 1 ? words.at(-1) : undefined]
  const letters = [first, last].map((word) => (word === undefined ? '' : [...word][0]))
  return letters.join('').toLocaleUpperCase('en') || '?'
}

/** Avatar of a user: initials, since a remote picture would disclose where the user signs in. */
export function portrait(name: string): Html {
  return html`<span class="initials" aria-hidden="true">${initials(name)}</span>`
}
