import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { html, safeHref, trusted } from './html.js'

describe('html', () => {
  it('escapes text for content and quoted attributes', () => {
    const hostile = `"><script>alert('&')</script>`
    expect(html`<a title="${hostile}">${hostile}</a>`.text).toBe(
      '<a title="&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</a>',
    )
  })

  it('lets no text open or close anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`${[text]}`.text).not.toMatch(/[<>"']/)
      }),
    )
  })

  it('puts markup in once, lists in order, and nothing for what is absent', () => {
    const items = ['a', 'b'].map((item) => html`<i>${item}</i>`)
    expect(html`${items}${false}${undefined}${0}${trusted('<hr>')}`.text).toBe(
      '<i>a</i><i>b</i>0<hr>',
    )
  })

  it('does not take an object that looks like markup', () => {
    const forged = JSON.parse('{"text":"<script>"}') as never
    expect(() => html`${forged}`.text).toThrow()
  })
})

describe('safeHref', () => {
  it.each(['/', '/docs?a=b', 'https://app.example.com/login', 'http://localhost:8094/'])(
    'keeps %s',
    (address) => expect(safeHref(address)).toBe(address),
  )

  it.each(['javascript:alert(1)', ' jAvA\tscript:alert(1)', 'data:text/html,x', 'https://['])(
    'replaces %j',
    (address) => expect(safeHref(address)).toBe('/'),
  )
})
