import { html, type Html, type HtmlValue, trusted } from './html.js'
import { stylesheet } from './assets.js'

/** The parts of a page. */
interface LayoutOptions {
  /** Title of the browser tab; the distinctive part comes first. */
  title: string
  /** Name above the card. Default: `NetScript Auth`. */
  brand?: string
  main: HtmlValue
  /** The page's script and the public id of the displayed session. Default: none. */
  script?: { readonly href: string; readonly sessionId: string | undefined }
  footer?: HtmlValue
}

const MARK = `<svg viewBox="0 0 28 28" aria-hidden="true" focusable="false"><path fill="currentColor" d="M14 1.5 3.5 5.4v8.1c0 6.3 4.4 11 10.5 13 6.1-2 10.5-6.7 10.5-13V5.4zm0 7.2a3 3 0 0 1 1.4 5.7l.8 4.6h-4.4l.8-4.6A3 3 0 0 1 14 8.700z"/></svg>`

const ICON = `data:image/svg+xml,${encodeURIComponent(
  MARK.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace(
    'currentColor',
    '#5068d8',
  ),
)}`

/** Renders a complete document, without inline code and third-party resources. */
export function layout({
  title,
  brand = 'NetScript Auth',
  main,
  script,
  footer,
}: LayoutOptions): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${brand}</title>
        <link rel="icon" href="${ICON}" />
        <link rel="stylesheet" href="${stylesheet.href}" />
        ${script && html`<script type="module" src="${script.href}"></script>`}
      </head>
      <body>
        <header>${trusted(MARK)}<span>${brand}</span></header>
        <main data-session-id="${script?.sessionId ?? ''}">${main}</main>
        ${footer !== undefined && html`<footer>${footer}</footer>`}
      </body>
    </html> `.text
}

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
