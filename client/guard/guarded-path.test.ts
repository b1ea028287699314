import { describe, expect, it } from 'vitest'
import { pathGuard } from './guarded-path.js'

describe('pathGuard', () => {
  it('protects /api and leaves out /health, also for empty lists', () => {
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

  it('lets an exception win, by whole segments', () => {
    const isGuarded = pathGuard({ protect: ['/'], allowAnonymous: ['/api/public/'] })
    expect(['/api/public', '/api/public/x'].map(isGuarded)).toEqual([false, false])
    expect(['/', '/api/publicity', '/api'].map(isGuarded)).toEqual([true, true, true])
  })

  it('protects every spelling that Express takes for the path', () => {
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
  ])('takes %s for no exception', (path) => {
    expect(pathGuard({ protect: ['/'], allowAnonymous: ['/open'] })(path)).toBe(true)
  })

  it('refuses a path that would never match', () => {
    expect(() => pathGuard({ protect: ['api'] })).toThrow(/"api" must begin with/)
  })
})
