/** Markup that is safe to insert unescaped. Created by {@link html} and, with care, {@link trusted}. */
class Html {
  constructor(readonly text: string) {}
}
export type { Html }

/** A value for {@link html}: text is escaped, markup is not, and `undefined` and `false` render nothing. */
export type HtmlValue = string | number | Html | false | undefined | readonly HtmlValue[]

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Builds markup. Every value is escaped for element content and quoted attributes. Never put a value into
 * an unquoted attribute, a script or a style.
 *
 * @example
 * ```ts
 * html`<p title="${title}">${text}</p>`
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1]) + part))
}

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** Marks text as already escaped. */
export function trusted(text: string): Html {
  return new Html(text)
}

/**
 * Sanitizes an `href`: returns a path on this site or an http(s) URL unchanged, and `/` for anything
 * else, such as `javascript:`.
 */
export function safeHref(address: string): string {
  const base = 'http://self.invalid'
  if (!URL.canParse(address, base)) return '/'
  const { protocol } = new URL(address, base)
  return protocol === 'http:' || protocol === 'https:' ? address : '/'
}
