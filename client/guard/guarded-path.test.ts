import { describe, expect, it } from 'vitest'
import { pathGuard } from './guarded-path.js'

describe('pathGuard', () => {
  it('protects /api except /health by default, also for empty lists', () => {
    for (const isGuarded of [pathGuard({}), pathGuard({ protect: [], allowAnonymous: [] })]) {
      expect(['/api', '/api/', '/api/x'].map(isGuarded)).toEqual([true, true, true])
      expect(['/', '/health', '/apix', '/x/api'].map(isGuarded)).toEqual([
        false,
        false,
        false,
        false,
      ])
    }
  })

  it('applies exceptions over protected paths, by whole segments', () => {
    const isGuarded = pathGuard({ protect: ['/'], allowAnonymous: ['/api/public/'] })
    expect(['/api/public', '/api/public/x'].map(isGuarded)).toEqual([false, false])
    expect(['/', '/api/publicity', '/api'].map(isGuarded)).toEqual([true, true, true])
  })

  it('protects every case variant, as Express routes them alike', () => {
    const isGuarded = pathGuard({ protect: ['/Api'] })
    expect(['/API/x', '/aPi'].map(isGuarded)).toEqual([true, true])
  })

  it.each([
    '/open/../secret',
    '/open/./x',
    '/open/..',
    '/open//secret',
    '//open/x',
    '/open/%2e%2e/secret',
    '/open\\..\\secret',
    '/OPEN/x',
  ])('does not treat %s as an exception', (path) => {
    expect(pathGuard({ protect: ['/'], allowAnonymous: ['/open'] })(path)).toBe(true)
  })

  it('throws for a path without a leading slash', () => {
    expect(() => pathGuard({ protect: ['api'] })).toThrow(/"api" must begin with/)
  })
})
