import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthnRequest } from '../request.js'
import type { AdmissionRules } from './admission.js'
import { type AdmissionCandidate, type AdmissionDecision, type Admit, decide } from './admit.js'
import type { KvOAuthBackend } from './backend.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore, scriptedScene } from './testing/scripted-scene.js'

const candidate: AdmissionCandidate = {
  ...{ at: 'sign-in', providerId: 'p', issuer: 'i', subject: 's' },
  ...{ roles: [], claims: {} },
}

describe('a decision of admit', () => {
  afterEach(() => vi.useRealTimers())

  it('fails when it takes longer than five seconds', async () => {
    vi.useFakeTimers()
    const decided = decide(() => new Promise(() => {}), candidate)
    const expected = expect(decided).rejects.toThrow('admit did not answer within 5000 ms.')
    await vi.advanceTimersByTimeAsync(5_000)
    await expected
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each<unknown>([
    ...[undefined, null, true, 'yes', {}, { allow: 'true' }, { allow: 1 }],
    ...[{ allow: false }, { allow: true, roles: 'admin' }, { allow: true, roles: [1] }],
  ])('fails when it is %j', async (decision) => {
    await expect(decide(() => decision as AdmissionDecision, candidate)).rejects.toThrow(TypeError)
  })
})

describeOnEveryStore('admit', (scene) => {
  const create = (admit: Admit) => scene.create('oidc', { rolesClaim: 'roles' }, { admit })

  it('is asked before anything is stored, and may give roles, a name and claims', async () => {
    const asked: AdmissionCandidate[] = []
    scene.idp.claims = { email: 'ada@example.test', email_verified: true, roles: ['member'] }
    const backend = await create((one) => {
      asked.push(one)
      const claims = { plan: 'pro', sub: 'x'.repeat(2000) }
      return { allow: true, roles: ['admin', ' '], displayName: 'Lady Ada', claims }
    })
    const result = await backend.authenticate(await signInAt(backend))
    expect(asked).toEqual([
      expect.objectContaining({
        ...{ at: 'sign-in', providerId: 'oidc', issuer: scene.idp.issuer, subject: 'ada' },
        ...{ email: 'ada@example.test', emailVerified: true, roles: ['member'] },
      }),
    ])
    expect(result).toMatchObject({
      ok: true,
      user: { displayName: 'Lady Ada' },
      session: { roles: ['admin', 'member'], claims: { plan: 'pro' } },
    })
  })

  it.each<[string, Admit]>([
    ['refuses', () => ({ allow: false, reason: 'no member' })],
    [
      'throws',
      () => {
        throw new Error('the directory is down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the directory is down'))],
    ['returns something else', () => ({ allow: 'yes' }) as unknown as AdmissionDecision],
  ])('refuses the sign-in when it %s, and stores no user', async (_what, admit) => {
    scene.idp.claims = { sub: crypto.randomUUID() }
    const backend = await create(admit)
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_NOT_ADMITTED' })
    const { rows } = await scene.pool.query('SELECT id FROM auth_accounts WHERE subject = $1', [
      scene.idp.claims.sub,
    ])
    expect(rows).toEqual([])
    expect(scene.log.find(({ event }) => event === 'sign-in.failed')).toHaveProperty('rule')
  })

  it('gets the verdict on an address again at a renewal that only repeats the address', async () => {
    const asked: AdmissionCandidate[] = []
    const backend = await create((one) => {
      asked.push(one)
      return { allow: true }
    })
    const email = 'ada@example.test'
    scene.idp.claims = { email, email_verified: true, hd: 'example.test' }
    const request = await signInAt(backend)
    for (const claims of [{ email }, {}, { email: 'other@example.test' }]) {
      scene.idp.claims = claims
      scene.renewalsDue()
      await backend.authenticate(request)
    }
    expect(asked.map((one) => [one.at, one.email, one.emailVerified])).toEqual([
      ['sign-in', email, true],
      ['refresh', email, true],
      ['refresh', email, true],
      ['refresh', 'other@example.test', undefined],
    ])
    expect(asked.map(({ claims }) => claims.email_verified)).toEqual([true, true, true, undefined])
    expect(asked.at(-1)?.claims).toMatchObject({ hd: 'example.test' })
  })

  it('ends a session when it refuses at a renewal', async () => {
    let allow = true
    const backend = await create(() => (allow ? { allow } : { allow, reason: 'left' }))
    const request = await signInAt(backend)
    allow = false
    expect((await backend.authenticate(request)).ok).toBe(true)
    scene.renewalsDue()
    expect(await backend.authenticate(request)).toMatchObject({ reason: 'session-revoked' })
    expect((await backend.authenticate(request)).ok).toBe(false)
  })

  it('keeps a session and its roles when it fails at a renewal, and is asked again', async () => {
    let decide: () => AdmissionDecision = () => ({ allow: true, roles: ['admin'] })
    const backend = await create(() => decide())
    const request = await signInAt(backend)
    const rolesAfterRenewal = async (): Promise<readonly string[]> => {
      scene.renewalsDue()
      const result = await backend.authenticate(request)
      if (!result.ok) throw new Error(result.reason)
      return result.session.roles
    }
    scene.idp.claims = { roles: ['member'] }
    expect(await rolesAfterRenewal()).toEqual(['admin', 'member'])
    decide = () => {
      throw new Error('the directory is down')
    }
    expect(await rolesAfterRenewal()).toEqual(['admin', 'member'])
    decide = () => ({ allow: true, roles: ['owner'] })
    expect(await rolesAfterRenewal()).toEqual(['owner', 'member'])
    decide = () => ({ allow: true })
    expect(await rolesAfterRenewal()).toEqual(['member'])
    scene.idp.claims = {}
    expect(await rolesAfterRenewal()).toEqual([])
  })
})

describeOnEveryStore('rules at a renewal', (scene) => {
  it.each<[string, Record<string, unknown>, boolean]>([
    ['the same address', { email: 'ada@example.test', email_verified: true }, true],
    ['the same address without a verdict', { email: 'ada@example.test' }, true],
    ['no address', {}, true],
    ['another domain', { email: 'ada@other.test', email_verified: true }, false],
    [
      'an address that is no longer verified',
      { email: 'ada@example.test', email_verified: false },
      false,
    ],
    ['another address without a verdict', { email: 'ada@other.test' }, true],
  ])('judge %s', async (_what, claims, isLive) => {
    scene.idp.claims = { email: 'ada@example.test', email_verified: true }
    const backend = await scene.create('oidc', { admission: { emailDomains: ['example.test'] } })
    const request = await signInAt(backend)
    scene.idp.claims = claims
    scene.renewalsDue()
    expect((await backend.authenticate(request)).ok).toBe(isLive)
  })

  it.each<[string, Record<string, unknown>, boolean]>([
    ['the same group', { groups: ['dev'] }, true],
    ['no groups claim', {}, true],
    ['another group', { groups: ['ops'] }, false],
  ])('judge %s', async (_what, claims, isLive) => {
    scene.idp.claims = { groups: ['dev'] }
    const backend = await scene.create('oidc', { admission: { groups: ['dev'] } })
    const request = await signInAt(backend)
    scene.idp.claims = claims
    scene.renewalsDue()
    expect((await backend.authenticate(request)).ok).toBe(isLive)
  })
})

describeOnEveryStore('claims that a renewal lacks', (scene) => {
  const DOMAIN = { emailDomains: ['example.test'] }
  const ada = { email: 'ada@example.test', email_verified: true }
  it.each<[string, AdmissionRules, object, object, boolean]>([
    ['the same group', { groups: ['dev'] }, { groups: ['dev'] }, { groups: ['dev'] }, true],
    ['another group', { groups: ['dev'] }, { groups: ['dev'] }, { groups: ['ops'] }, false],
    ['no group', { groups: ['dev'] }, { groups: ['dev'] }, { groups: [] }, false],
    ['still no groups', { groups: ['dev'] }, { groups: ['dev'] }, {}, true],
    ['the same address', DOMAIN, ada, ada, true],
    ['another address', DOMAIN, ada, { ...ada, email: 'ada@other.test' }, false],
    ['an address that is not verified', DOMAIN, ada, { ...ada, email_verified: false }, false],
    ['still no address', DOMAIN, ada, {}, true],
  ])('are asked for at the user info: %s', async (_what, admission, claims, told, isLive) => {
    scene.idp.claims = { ...claims }
    const backend = await scene.create('oidc', { admission })
    const request = await signInAt(backend)
    scene.idp.claims = {}
    scene.idp.userInfo = () => ({ json: { sub: 'ada', ...told } })
    scene.renewalsDue()
    expect((await backend.authenticate(request)).ok).toBe(isLive)
    expect((await backend.authenticate(request)).ok).toBe(isLive)
    expect(scene.idp.requests.at(-1)?.path).toBe('/userinfo')
  })

  it('are not asked for where no rule needs them', async () => {
    scene.idp.claims = { ...ada }
    const backend = await scene.create('oidc', { admission: { subjects: ['ada'], ...DOMAIN } })
    const request = await signInAt(backend)
    scene.idp.claims = {}
    scene.renewalsDue()
    expect((await backend.authenticate(request)).ok).toBe(true)
    expect(scene.idp.requests.at(-1)?.path).toBe('/token')
  })

  it.each([
    ['an organization that the user left', [], false],
    ['the same organization', [{ login: 'acme' }], true],
  ])('are asked for at GitHub: %s', async (_what, json, isLive) => {
    const options = { organizationsEndpoint: `${scene.idp.issuer}/orgs` }
    const backend = await scene.create('oauth', {
      ...options,
      admission: { organizations: ['acme'] },
    })
    scene.idp.organizations = () => ({ json: [{ login: 'acme' }] })
    const request = await signInAt(backend)
    scene.idp.organizations = () => ({ json })
    scene.renewalsDue()
    expect((await backend.authenticate(request)).ok).toBe(isLive)
  })
})

describeOnEveryStore('a session whose admission cannot be found out', (scene) => {
  const HOUR = 60 * 60_000
  const fails: AdmissionDecision = { allow: true, roles: 'broken' as unknown as string[] }
  let clock = 0
  let answer: AdmissionDecision
  beforeEach(() => {
    clock = Date.now()
    answer = { allow: true, roles: ['admin'] }
  })
  const isLiveAfter = async (
    backend: KvOAuthBackend,
    request: AuthnRequest,
    ms: number,
  ): Promise<boolean> => {
    clock += ms
    return (await backend.authenticate(request)).ok
  }
  const now = (): number => clock

  it('ends after 24 hours of errors of admit, and an answer starts them again', async () => {
    const backend = await scene.create('oidc', {}, { admit: () => answer, now })
    const request = await signInAt(backend)
    const isLive = (ms: number) => isLiveAfter(backend, request, ms)
    answer = fails
    expect(await isLive(HOUR)).toBe(true)
    expect(await isLive(23 * HOUR)).toBe(true)
    answer = { allow: true, roles: ['editor'] }
    expect(await isLive(HOUR / 2)).toBe(true)
    answer = fails
    expect(await isLive(HOUR)).toBe(true)
    expect(await isLive(24 * HOUR - 1)).toBe(true)
    expect(await backend.authenticate(request)).toMatchObject({ session: { roles: ['editor'] } })
    expect(await isLive(1)).toBe(false)
    expect(scene.log).toContainEqual(
      expect.objectContaining({ event: 'session.ended', reason: 'admission-undecided' }),
    )
  })

  it('is asked about within 24 hours, also where tokens live longer', async () => {
    scene.idp.token = (json) => ({ json: { ...json, expires_in: 3 * 86_400 } })
    const backend = await scene.create('oidc', {}, { admit: () => answer, now })
    const request = await signInAt(backend)
    const isLive = (ms: number) => isLiveAfter(backend, request, ms)
    answer = fails
    expect(await isLive(72 * HOUR)).toBe(true)
    expect(await isLive(24 * HOUR - 1)).toBe(true)
    expect(await isLive(1)).toBe(false)
  })

  it.each<[string, AdmissionRules, boolean]>([
    ['a rule needs it', { groups: ['dev'] }, false],
    ['no rule needs it', { subjects: ['ada'] }, true],
  ])('ends after 24 hours without user info if %s', async (_what, admission, isLive) => {
    scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['dev'] } })
    const backend = await scene.create('oidc', { admission, rolesClaim: 'groups' }, { now })
    const request = await signInAt(backend)
    scene.idp.userInfo = () => ({ status: 500, json: {} })
    expect(await isLiveAfter(backend, request, HOUR)).toBe(true)
    expect(await isLiveAfter(backend, request, 24 * HOUR - 1)).toBe(true)
    expect(await isLiveAfter(backend, request, HOUR)).toBe(isLive)
  })
})

describe('groups and organizations', () => {
  const scene = scriptedScene()

  it('come from the user info when the id_token has no groups', async () => {
    const backend = await scene.create('oidc', { admission: { groups: ['dev'] } })
    scene.idp.userInfo = () => ({ json: { sub: 'ada', groups: ['dev'] } })
    expect((await backend.authenticate(await signInAt(backend))).ok).toBe(true)
    scene.idp.userInfo = () => ({ json: { sub: 'ada' } })
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_NOT_ADMITTED' })
  })

  it('are read to the last page, and not at all unless a rule needs them', async () => {
    const organizationsEndpoint = `${scene.idp.issuer}/orgs`
    const admission = { organizations: ['acme'] }
    const backend = await scene.create('oauth', { organizationsEndpoint, admission })
    const pageOf = (names: string[]) => ({ json: names.map((login) => ({ login })) })
    let asked = 0
    scene.idp.organizations = () => {
      asked += 1
      return asked === 1
        ? pageOf(Array.from({ length: 100 }, (_, at) => `o${at}`))
        : pageOf(['ACME'])
    }
    expect((await backend.authenticate(await signInAt(backend))).ok).toBe(true)
    expect(asked).toBe(2)
    scene.idp.organizations = () => ({ status: 403, json: {} })
    await expect(signInAt(backend)).rejects.toMatchObject({ code: 'AUTH_NOT_ADMITTED' })
    const open = await scene.create('oauth', { organizationsEndpoint })
    await signInAt(open)
    expect(asked).toBe(2)
  })
})
