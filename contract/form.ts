const LISTS = new Set(['scopes', 'acrValues', 'uiLocales'])
const FLAGS = new Set(['everywhere', 'link'])
const BOOLEANS = new Map<unknown, boolean>([
  ['true', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['off', false],
  ['0', false],
])

/**
 * Decodes an `application/x-www-form-urlencoded` body of signin or signout into the shape of its
 * JSON body, so that the same schema validates both.
 *
 * Empty fields are dropped: an untouched input sends an empty string. `scopes`, `acrValues` and
 * `uiLocales` may be repeated or separated by spaces. `maxAge` is a decimal number. `everywhere` and
 * `link` accept true/false, on/off and 1/0. Other values stay as sent, and the schema refuses them.
 *
 * @example
 * ```ts
 * decodeForm('providerId=google&scopes=openid+email') // { providerId: 'google', scopes: ['openid', 'email'] }
 * ```
 */
export function decodeForm(body: string): Record<string, unknown> {
  const form = new URLSearchParams(body)
  const entries = [...new Set(form.keys())].map((name): [string, unknown] => {
    const values = form.getAll(name).filter((value) => value !== '')
    if (LISTS.has(name)) {
      const items = values.flatMap((value) => value.split(/\s+/)).filter(Boolean)
      return [name, items.length > 0 ? items : undefined]
    }
    const [value] = values
    if (values.length > 1) return [name, values]
    if (name === 'maxAge' && /^\d{1,9}$/.test(value ?? '')) return [name, Number(value)]
    if (FLAGS.has(name)) return [name, BOOLEANS.get(value) ?? value]
    return [name, value]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
