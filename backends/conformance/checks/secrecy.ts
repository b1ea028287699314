import assert from 'node:assert/strict'
import { AuthError } from '../../errors.js'
import {
  type AuthBackendChecks,
  authenticate,
  change,
  type Person,
  requestOf,
  requestWith,
  requestWithCookies,
  type Scene,
  signIn,
} from '../scene.js'
import { parseSetCookie } from '../set-cookie.js'
import { duringOutage } from './outage.js'

export const SECRECY_CHECKS: AuthBackendChecks = {
  'results-hold-no-secret': {
    title: 'no result contains a credential',
    async run(scene) {
      const { secrets, outcomes } = await useEverything(scene)
      for (const { operation, result } of outcomes) {
        assertHoldsNone(secrets, readable(result), `the result of ${operation}`)
      }
    },
  },
  'errors-hold-no-secret': {
    title: 'no error contains a credential or the message of its cause',
    async run(scene) {
      const { secrets, outcomes } = await useEverything(scene)
      for (const { operation, error } of outcomes) {
        if (error === undefined) continue
        const { message, cause } = error as Error
        assertHoldsNone(secrets, `${message} ${readable(error)}`, `the error of ${operation}`)
        if (error instanceof AuthError && cause instanceof Error && cause.message !== '') {
          const passedOn = error.detail.includes(cause.message)
          assert.ok(
            !passedOn,
            `the detail of the error of ${operation} contains the message of its cause`,
          )
        }
      }
    },
  },
  'set-cookies-are-well-formed': {
    title: 'every Set-Cookie is one line, with HttpOnly, Path=/ and SameSite',
    async run(scene) {
      const { outcomes } = await useEverything(scene)
      for (const { operation, result, error } of outcomes) {
        for (const cookie of setCookiesOf(result ?? error)) assertWellFormed(cookie, operation)
      }
    },
  },
}

interface Outcome {
  readonly operation: string
  readonly result?: unknown
  readonly error?: unknown
}

/** Runs every operation of the port with valid and invalid input, and collects the outcomes. */
async function useEverything(
  scene: Scene,
): Promise<{ secrets: readonly string[]; outcomes: readonly Outcome[] }> {
  const { backend, harness } = scene
  const { sessions, interactive } = backend
  const outcomes: Outcome[] = []
  const attempt = async (operation: string, run: () => unknown): Promise<void> => {
    try {
      outcomes.push({ operation, result: await run() })
    } catch (error) {
      outcomes.push({ operation, error })
    }
  }
  const mine = await signIn(scene)
  const [second, third] = [await signIn(scene, mine), await signIn(scene, mine)]
  const theirs = await signIn(scene)
  const garbage = requestWithCookies(mine.cookies.map(([name, value]) => [name, `${value}x`]))
  const useAll = async (when: string): Promise<void> => {
    await attempt(`authenticate ${when}`, () => backend.authenticate(requestOf(mine)))
    await attempt(`probe ${when}`, () => backend.probe())
    await attempt(`listSessions ${when}`, () => sessions.listSessions(mine.user.id))
    await attempt(`revokeSession ${when}`, () =>
      sessions.revokeSession(mine.user.id, third.session.id),
    )
    await attempt(`revokeSessions ${when}`, () =>
      sessions.revokeSessions(mine.user.id, { except: mine.session.id }),
    )
    await attempt(`signOut ${when}`, () =>
      sessions.signOut(requestOf(theirs), { everywhere: true, returnTo: 'http://localhost/' }),
    )
    if (!interactive) return
    await attempt(`signIn ${when}`, () =>
      interactive.signIn(requestOf(second), { returnTo: 'http://localhost/', loginHint: 'ada' }),
    )
    const query = new URLSearchParams({ state: 'unknown', code: 'unknown' })
    await attempt(`handleCallback ${when}`, () =>
      interactive.handleCallback(requestOf(second), query),
    )
  }
  if (harness.storeDown) await duringOutage(scene, () => useAll('during an outage'))
  await attempt('authenticate with garbage', () => backend.authenticate(garbage))
  await attempt('authenticate without a credential', () => backend.authenticate(requestWith({})))
  await attempt('signOut with garbage', () => sessions.signOut(garbage, { everywhere: false }))
  await attempt('listProviders', () => backend.providers.listProviders())
  if (harness.refreshDue) {
    const headers = await change(scene, 'refreshDue', mine)
    await attempt('authenticate when refresh is due', () =>
      authenticate(scene, requestWith(headers), 'refresh is due'),
    )
  }
  if (interactive) {
    await attempt('signIn at an unknown provider', () =>
      interactive.signIn(requestOf(mine), { providerId: 'unknown', returnTo: 'http://localhost/' }),
    )
    await attempt('startLogout', () => interactive.startLogout(requestOf(mine), 'unknown'))
    await attempt('finishLogout', () => interactive.finishLogout(requestOf(mine), 'unknown'))
  }
  await useAll('normally')
  await attempt('signOut', () => sessions.signOut(requestOf(mine), { everywhere: false }))
  await attempt('authenticate after signOut', () => backend.authenticate(requestOf(mine)))
  return { secrets: [mine, second, third, theirs].flatMap(secretsOf), outcomes }
}

/** The credential as sent and decoded, and the secrets that the harness declares. */
function secretsOf({ cookies, headers, signedIn }: Person): string[] {
  const token = headers.authorization?.split(' ')[1]
  const values = cookies.map(([, value]) => value)
  const given = [...values, token, signedIn.bearer, ...(signedIn.secrets ?? [])]
  const present = given.filter((secret) => secret !== undefined && secret !== '') as string[]
  return [...new Set(present.flatMap((secret) => [secret, decoded(secret)]))]
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** A result as text, without `setCookies`, where credentials belong. */
function readable(value: unknown): string {
  return (
    JSON.stringify(value, (key, member: unknown) => (key === 'setCookies' ? undefined : member)) ??
    ''
  )
}

function assertHoldsNone(secrets: readonly string[], text: string, where: string): void {
  for (const secret of secrets) {
    const written = JSON.stringify(secret).slice(1, -1)
    assert.ok(!text.includes(written) && !text.includes(secret), `${where} contains a secret`)
  }
}

function setCookiesOf(outcome: unknown): readonly string[] {
  if (typeof outcome !== 'object' || outcome === null || !('setCookies' in outcome)) return []
  return outcome.setCookies as readonly string[]
}

function assertWellFormed(text: string, operation: string): void {
  const { name, value, attributes } = parseSetCookie(text)
  const must = (holds: boolean, what: string): void =>
    assert.ok(holds, `the cookie ${name} of ${operation} ${what}`)
  must(/^[\x20-\x7e]+$/.test(text), 'is not one line of printable ASCII')
  must(/^[\w!#$%&'*+.^`|~-]+$/.test(name), 'has no proper name')
  must(!/[\s",;\\]/.test(value), 'has a value that must be quoted')
  must(attributes.has('httponly'), 'is not HttpOnly')
  must(attributes.get('path') === '/', 'is not for Path=/')
  const sameSite = attributes.get('samesite')?.toLowerCase() ?? ''
  must(['lax', 'strict', 'none'].includes(sameSite), 'has no SameSite')
  must(sameSite !== 'none' || attributes.has('secure'), 'is SameSite=None without Secure')
  if (!name.startsWith('__Host-')) return
  must(attributes.has('secure'), 'has the prefix __Host- but is not Secure')
  must(!attributes.has('domain'), 'has the prefix __Host- but a Domain')
}
