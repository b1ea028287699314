import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AuthBackendOperationUnsupportedError } from '../errors.js'
import { AUTH_BACKEND_CHECKS, checkAuthBackend, runAuthBackendConformance } from './run.js'
import { acceptingBearer, withBearer } from './testing/bearer.js'
import { FLAWS } from './testing/flaws.js'
import { type BackendChange, memoryHarness } from './testing/memory-harness.js'

runAuthBackendConformance(memoryHarness(), { describe, it })

const HOOKS = ['expire', 'revokeElsewhere', 'storeDown', 'approve', 'approveRefused', 'giveRole']

/** A minimal backend that declares no capability. */
const frugal: BackendChange = ({ sessions, capabilities }) => {
  const refuse = (operation: string) => async (): Promise<never> => {
    throw new AuthBackendOperationUnsupportedError('memory', operation, 'It keeps no list.')
  }
  return {
    interactive: undefined as never,
    accounts: undefined as never,
    selfService: undefined as never,
    getProviderToken: undefined as never,
    capabilities: {
      ...capabilities,
      listSessions: false,
      revokeSessions: false,
      refresh: false,
    },
    sessions: {
      signOut: (...given) => sessions.signOut(...given),
      listSessions: refuse('listSessions'),
      revokeSession: refuse('revokeSession'),
      revokeSessions: refuse('revokeSessions'),
    },
  }
}

describe('checkAuthBackend', () => {
  it('has a unique id for every check', () => {
    const ids = AUTH_BACKEND_CHECKS.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[a-z]+(-[a-z]+)+$/.test(id))).toEqual([])
  })

  it('passes a backend with bearer tokens, and skips checks that do not apply', async () => {
    const base = memoryHarness(acceptingBearer)
    const results = await checkAuthBackend({ ...base, ...withBearer(base) })
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    expect(skippedBy(results)).toEqual([
      'no-refresh-extends-nothing',
      'unsupported-listing-says-so',
      'unsupported-revocation-says-so',
      'step-up-is-refused-where-unsupported',
    ])
  })

  it('passes a minimal backend that declares no capability', async () => {
    const { refreshDue: _refreshDue, approve: _approve, ...base } = memoryHarness(frugal)
    const results = await checkAuthBackend(base)
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    const reasons = results.flatMap(({ skipped }) => skipped ?? [])
    expect(new Set(reasons)).toEqual(
      new Set([
        'the backend is not interactive',
        'capabilities.listSessions is false',
        'capabilities.refresh is false',
        'capabilities.revokeSessions is false',
        'signIn gives no bearer token beside the cookie',
        'the backend manages no sessions',
        'the backend links no accounts',
        'the backend keeps no provider tokens',
        'the backend neither exports nor deletes users',
      ]),
    )
  })

  it('skips checks whose hook is missing, and names the hook', async () => {
    const { name, create, signIn, refreshDue } = memoryHarness()
    const results = await checkAuthBackend({ name, create, signIn, refreshDue: refreshDue! })
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    for (const hook of HOOKS) {
      expect(results.map(({ skipped }) => skipped)).toContain(`the harness has no ${hook}`)
    }
  })

  it('fails every check when create rejects', async () => {
    const create = () => Promise.reject(new Error('no database'))
    const results = await checkAuthBackend({ ...memoryHarness(), create })
    expect(results.filter(({ ok }) => ok)).toEqual([])
    expect(results.every(({ error }) => error?.message === 'no database')).toBe(true)
  })

  it('throws for an unknown check in only', async () => {
    const checked = checkAuthBackend(memoryHarness(), { only: ['probe-resolvs'] })
    await expect(checked).rejects.toThrow('There is no check probe-resolvs.')
  })

  it('fails a backend that hangs', async () => {
    const mute = memoryHarness(() => ({ probe: () => new Promise(() => {}) }))
    const [result] = await checkAuthBackend(mute, { only: ['probe-resolves'], limitMs: 20 })
    expect(result?.error?.message).toBe('The backend did not answer within 20 ms.')
  })

  it('closes every backend', async () => {
    let open = 0
    const base = memoryHarness(() => {
      open += 1
      return { close: async () => void (open -= 1) }
    })
    await checkAuthBackend(base, {
      only: ['probe-resolves', 'session-is-live', 'outage-fails-probe'],
    })
    expect(open).toBe(0)
  })
})

describe('flaws', () => {
  it('exist for every group of checks', () => {
    const groups = readdirSync(new URL('./checks', import.meta.url))
    const names = groups.map((file) => basename(file, '.ts'))
    expect(Object.keys(FLAWS)).toEqual(expect.arrayContaining(names))
  })

  it.each(Object.entries(FLAWS))(
    'checks of %s detect: $flaw',
    async (_group, { check, because, change }) => {
      const [result] = await checkAuthBackend(memoryHarness(change), { only: [check] })
      expect(result?.ok).toBe(false)
      expect(result?.error?.message).toMatch(because)
    },
  )
})

const skippedBy = (results: Awaited<ReturnType<typeof checkAuthBackend>>): string[] =>
  results.flatMap(({ check, skipped }) => (skipped === undefined ? [] : [check]))
