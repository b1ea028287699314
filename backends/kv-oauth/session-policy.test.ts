import { describe, expect, it } from 'vitest'
import { AuthConfigurationError } from '../errors.js'
import { type SessionPolicy, sessionPolicy } from './context.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

const SECOND = 1000

describe('sessionPolicy', () => {
  it.each<[Partial<SessionPolicy>, number]>([
    [{}, 900],
    [{ idleMs: 60 * SECOND }, 6],
    [{ idleMs: 60 * SECOND, refreshWindowMs: SECOND }, 1],
    [{ idleMs: 60 * SECOND, refreshWindowMs: 59 * SECOND }, 6],
    [{ absoluteMs: 60 * SECOND }, 6],
  ])('limits the refresh window to a tenth of the idle timeout: %j', (given, seconds) => {
    expect(sessionPolicy(given).refreshWindowMs).toBe(seconds * SECOND)
  })

  it.each<[Partial<SessionPolicy>, RegExp]>([
    [{ idleMs: 60_000, refreshWindowMs: 60_000 }, /policy\.refreshWindowMs is not shorter/],
    [{ refreshWindowMs: 86_400_000 }, /policy\.refreshWindowMs is not shorter/],
    [{ absoluteMs: 60_000, refreshWindowMs: 60_000 }, /policy\.refreshWindowMs is not shorter/],
    [{ idleMs: 2, absoluteMs: 1 }, /policy\.idleMs is longer than policy\.absoluteMs/],
    [{ idleMs: 0 }, /policy\.idleMs must be/],
    [{ absoluteMs: Number.NaN }, /policy\.absoluteMs must be/],
    [{ refreshWindowMs: -1 }, /policy\.refreshWindowMs must be/],
  ])('rejects %j', (given, message) => {
    expect(() => sessionPolicy(given)).toThrow(AuthConfigurationError)
    expect(() => sessionPolicy(given)).toThrow(message)
  })
})

describeOnEveryStore('a session with a short idle timeout', (scene) => {
  it('stays live while used, without a write on each read', async () => {
    scene.idp.token = ({ refresh_token: _, ...json }) => ({ json })
    let clock = Date.now()
    const policy = { idleMs: 60 * SECOND }
    const backend = await scene.create('oidc', {}, { policy, now: () => clock })
    const request = await signInAt(backend)
    const ends = new Set<string>()
    for (let second = 0; second < 300; second += 2) {
      clock += 2 * SECOND
      const result = await backend.authenticate(request)
      if (!result.ok) throw new Error(result.reason)
      expect(Date.parse(result.session.expiresAt)).toBeGreaterThan(clock + 50 * SECOND)
      ends.add(result.session.expiresAt)
    }
    expect(ends.size).toBe(51)
  })
})

describeOnEveryStore('the expiry of a session', (scene) => {
  it.each<[string, Partial<SessionPolicy>, { signedIn: number; used: number }]>([
    [
      'the idle timeout from its last use',
      { idleMs: 60 * SECOND, absoluteMs: 600 * SECOND },
      { signedIn: 60, used: 110 },
    ],
    [
      'the absolute timeout, when that is sooner',
      { idleMs: 60 * SECOND, absoluteMs: 90 * SECOND },
      { signedIn: 60, used: 90 },
    ],
    [
      'the absolute timeout alone, when that is shorter than the default idle timeout',
      { absoluteMs: 60 * SECOND },
      { signedIn: 60, used: 60 },
    ],
  ])('is %s', async (_what, policy, { signedIn, used }) => {
    scene.idp.token = ({ refresh_token: _, ...json }) => ({ json })
    const start = Date.now()
    let clock = start
    const backend = await scene.create('oidc', {}, { policy, now: () => clock })
    const request = await signInAt(backend)
    const expiresAfter = async () => {
      const result = await backend.authenticate(request)
      if (!result.ok) throw new Error(result.reason)
      return (Date.parse(result.session.expiresAt) - start) / SECOND
    }
    expect(await expiresAfter()).toBe(signedIn)
    clock += 50 * SECOND
    expect(await expiresAfter()).toBe(used)
  })
})
