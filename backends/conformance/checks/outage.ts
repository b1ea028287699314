import assert from 'node:assert/strict'
import type { AuthErrorCode } from '@netscript/auth-contract'
import { AuthError } from '../../errors.js'
import {
  assertPerson,
  type AuthBackendChecks,
  expectAlive,
  expectOver,
  missingHook,
  rejection,
  requestOf,
  requestWith,
  type Scene,
  signIn,
  skip,
} from '../scene.js'

export const OUTAGE_CHECKS: AuthBackendChecks = {
  'outage-is-not-anonymous': {
    title: 'during an outage a credential is neither valid nor anonymous',
    async run(scene) {
      const { backend, harness } = scene
      const person = await signIn(scene)
      await duringOutage(scene, async () => {
        const asked = backend.authenticate(requestOf(person))
        const answer = harness.selfContained ? await asked.catch(() => undefined) : undefined
        if (answer) return assertPerson(answer, person, 'while the store is down')
        assertUnavailable(await rejection(asked, 'authenticate, while the store is down,'))
      })
    },
  },
  'outage-fails-sign-out': {
    title: 'during an outage signing out fails',
    async run(scene) {
      const { sessions } = scene.backend
      const person = await signIn(scene)
      await duringOutage(scene, async () => {
        for (const everywhere of [false, true]) {
          const asked = sessions.signOut(requestOf(person), { everywhere })
          assertUnavailable(await rejection(asked, 'signOut, while the store is down,'))
        }
      })
      await sessions.signOut(requestOf(person), { everywhere: false })
      await expectOver(scene, person, 'a user who signed out after the outage')
    },
  },
  'outage-fails-session-management': {
    title: 'during an outage listing and revoking sessions fail',
    async run(scene) {
      const { sessions, capabilities } = scene.backend
      const { user, session } = await signIn(scene)
      const operations = [
        ...(capabilities.listSessions ? [() => sessions.listSessions(user.id)] : []),
        ...(capabilities.revokeSessions
          ? [
              () => sessions.revokeSession(user.id, session.id),
              () => sessions.revokeSessions(user.id),
              () => sessions.revokeSessions(user.id, { except: session.id }),
            ]
          : []),
      ]
      if (operations.length === 0) return skip('the backend manages no sessions')
      await duringOutage(scene, async () => {
        for (const operation of operations) {
          const error = await rejection(operation(), 'session management, while the store is down,')
          assertUnavailable(error)
        }
      })
    },
  },
  'outage-fails-probe': {
    title: 'during an outage the backend is not ready',
    async run(scene) {
      await duringOutage(scene, async () => {
        await rejection(scene.backend.probe(), 'probe, while the store is down,')
      })
    },
  },
  'outage-fails-sign-in': {
    title: 'during an outage starting a sign-in fails',
    async run(scene) {
      const { interactive } = scene.backend
      if (!interactive) return skip('the backend is not interactive')
      await duringOutage(scene, async () => {
        const asked = interactive.signIn(requestWith({}), { returnTo: 'http://localhost/' })
        assertUnavailable(await rejection(asked, 'signIn, while the store is down,'))
      })
    },
  },
  'outage-costs-no-session': {
    title: 'after an outage sessions and sign-in work again',
    async run(scene) {
      const person = await signIn(scene)
      await duringOutage(scene, async () => {
        await scene.backend.authenticate(requestOf(person)).catch(() => undefined)
        await scene.backend.probe().catch(() => undefined)
      })
      await expectAlive(scene, person, 'after the outage')
      await scene.backend.probe()
      await expectAlive(scene, await signIn(scene), 'signed in after the outage')
    },
  },
}

/** Runs `during` while the store is down, and always restores the store. */
export async function duringOutage(
  { harness, backend }: Scene,
  during: () => Promise<void>,
): Promise<void> {
  if (!harness.storeDown) return missingHook('storeDown')
  const bringBack = await harness.storeDown(backend)
  try {
    await during()
  } finally {
    await bringBack()
  }
}

function assertUnavailable(error: Error): void {
  const expected = `during an outage STORE_UNAVAILABLE or AUTH_PROVIDER_ERROR must be thrown, not ${error.name}: ${error.message}`
  const code = error instanceof AuthError ? (error.code as AuthErrorCode) : undefined
  assert.ok(code === 'STORE_UNAVAILABLE' || code === 'AUTH_PROVIDER_ERROR', expected)
}
