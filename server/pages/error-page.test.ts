import { describe, expect, it } from 'vitest'
import { errorPage, type ErrorPageOptions } from './error-page.js'

const options: ErrorPageOptions = {
  title: 'This sign-in has expired or was already used',
  detail: 'Start again.',
  code: 'AUTH_TRANSACTION_EXPIRED',
  requestId: 'req-1',
  homeHref: '/',
}

describe('the error page', () => {
  it('shows what helps a user', () => {
    const page = errorPage(options)
    for (const part of [
      '<h1>This sign-in has expired or was already used</h1>',
      'Start again.',
      '<code>AUTH_TRANSACTION_EXPIRED</code>',
      '<code>req-1</code>',
      'href="/"',
    ]) {
      expect(page).toContain(part)
    }
  })

  it('escapes everything', () => {
    const hostile = `"><script>alert(1)</script>`
    const page = errorPage({
      title: hostile,
      detail: hostile,
      code: hostile,
      requestId: hostile,
      homeHref: `/${hostile}`,
    })
    expect(page).not.toContain('<script')
  })

  it('does not lead to a script', () => {
    expect(errorPage({ ...options, homeHref: 'javascript:alert(1)' })).not.toContain('javascript:')
  })
})
