import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AUTH_BACKEND_CHECKS, runAuthBackendConformance, type TestRunner } from './run.js'
import { memoryHarness } from './testing/memory-harness.js'

type Body = (...given: unknown[]) => Promise<void>

/** Collects tests like a runner, without running them. */
function collect(declare: (runner: TestRunner) => void): ReadonlyMap<string, Body> {
  const tests = new Map<string, Body>()
  declare({
    describe: (_name, body) => body(),
    it: (name, body) => void tests.set(name, body),
  })
  return tests
}

describe('runAuthBackendConformance', () => {
  it('runs under node:test', async () => {
    const suite = fileURLToPath(new URL('testing/node-test.ts', import.meta.url))
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
    const args = [
      '--conditions',
      '@netscript/source',
      '--import',
      'tsx',
      '--test',
      '--test-reporter=tap',
      suite,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1])
    expect(count('fail')).toBe(0)
    expect(count('pass') + count('skipped')).toBe(AUTH_BACKEND_CHECKS.length)
    expect(stdout).toContain('# SKIP capabilities.listSessions is true')
  })

  it('declares a test without a callback parameter for every check', () => {
    const tests = collect((runner) => runAuthBackendConformance(memoryHarness(), runner))
    expect([...tests.keys()].map((name) => name.split(':')[0])).toEqual(
      AUTH_BACKEND_CHECKS.map(({ id }) => id),
    )
    expect([...tests.values()].map(({ length }) => length)).toEqual(
      AUTH_BACKEND_CHECKS.map(() => 0),
    )
  })

  const testOf = (id: string, harness = memoryHarness()): Body => {
    const tests = collect((runner) => runAuthBackendConformance(harness, runner))
    const [, body] = [...tests].find(([name]) => name.startsWith(`${id}:`)) ?? []
    return body ?? expect.fail(`There is no check ${id}.`)
  }

  it('skips a check in a runner that binds the context to this (Mocha)', async () => {
    let skipped = 0
    await testOf('unsupported-listing-says-so').call({ skip: () => (skipped += 1) })
    await testOf('lists-own-sessions').call({ skip: () => (skipped += 1) })
    expect(skipped).toBe(1)
  })

  it('passes a skipped check in a runner that cannot skip (Jest)', async () => {
    await expect(testOf('unsupported-listing-says-so')()).resolves.toBeUndefined()
  })

  it('rejects when the backend fails the check', async () => {
    const harness = memoryHarness(() => ({ name: 'other' }))
    await expect(testOf('name-is-expected', harness)()).rejects.toThrow(/another name/)
  })
})
