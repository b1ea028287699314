import { expect, it } from 'vitest'
import type { AuthnRequest } from '@netscript/plugin-auth-core'
import type { KvOAuthBackend } from './backend.js'
import { signInAt } from './testing/scripted-provider.js'
import { describeOnEveryStore } from './testing/scripted-scene.js'

async function sessionOf(backend: KvOAuthBackend, request: AuthnRequest) {
  const result = await backend.authenticate(request)
  if (!result.ok) throw new Error(`Not signed in: ${result.reason}.`)
  return result.session
}

describeOnEveryStore('self-service', (scene) => {
  it('exports every session and the events of the user, and no token', async () => {
    scene.idp.claims = { sub: 'many', name: 'Ada', email: 'ada@example.test', email_verified: true }
    const backend = await scene.create('oidc', {}, { policy: { maxPerUser: 200 } })
    const first = await sessionOf(backend, await signInAt(backend))
    for (let n = 0; n < 101; n += 1) await signInAt(backend)
    scene.idp.claims = { sub: 'other' }
    const other = await sessionOf(backend, await signInAt(backend))

    const stored = await backend.selfService.exportUser(first)
    expect(stored.user).toMatchObject({
      ...{ id: first.userId, displayName: 'Ada', email: 'ada@example.test', emailVerified: true },
      roles: [],
    })
    expect(stored.sessions).toHaveLength(102)
    expect(stored.sessions.filter(({ current }) => current)).toEqual([
      expect.objectContaining({ session: expect.objectContaining({ id: first.id }) }),
    ])
    expect(stored.accounts).toMatchObject([{ providerId: 'oidc', subject: 'many', current: true }])
    expect(stored.events).toHaveLength(102)
    expect(stored.events[0]).toMatchObject({ type: 'sign-in.completed', providerId: 'oidc' })
    const text = JSON.stringify(stored)
    expect(text).not.toContain(other.userId)
    expect(text).not.toMatch(/"(access|refresh|id)_?token"/i)
  })

  it('deletes the user of the session only, whose next sign-in is a new user', async () => {
    const backend = await scene.create('oidc')
    scene.idp.claims = { sub: 'stays' }
    const stays = await signInAt(backend)
    scene.idp.claims = { sub: 'leaves' }
    const [here, elsewhere] = [await signInAt(backend), await signInAt(backend)]
    const session = await sessionOf(backend, here)

    await backend.selfService.deleteUser(session)
    for (const request of [here, elsewhere]) {
      expect(await backend.authenticate(request)).toMatchObject({ ok: false })
    }
    expect(await backend.authenticate(stays)).toMatchObject({ ok: true })
    const { rows } = await scene.pool.query(
      `SELECT (SELECT count(*) FROM auth_users WHERE id = $1)::int AS users,
         (SELECT count(*) FROM auth_accounts WHERE user_id = $1)::int AS accounts`,
      [session.userId],
    )
    expect(rows).toEqual([{ users: 0, accounts: 0 }])
    // Repeated, as after a lost response.
    await backend.selfService.deleteUser(session)
    await expect(backend.selfService.exportUser(session)).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    })
    const again = await sessionOf(backend, await signInAt(backend))
    expect(again.userId).not.toBe(session.userId)
  })
})
