import assert from 'node:assert/strict'
import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import type { AuthBackendPort, AuthnResult, Principal } from '../port.js'
import { type AuthnRequest, toAuthnRequest } from '../request.js'
import { skip } from './skip.js'
import type { AuthBackendHarness, SessionHook, SignedIn } from './harness.js'
import { cookieHeader, parseCookieHeader } from './set-cookie.js'

/** What a check works with: a backend of its own, and the harness that made it. */
export interface Scene {
  /** Where the backend came from. */
  readonly harness: AuthBackendHarness
  /** Of this check alone; it is closed afterwards. */
  readonly backend: AuthBackendPort
}

/** Request headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>

/** A user who is signed in, and what the backend said about them. */
export interface Person {
  readonly signedIn: SignedIn
  readonly headers: Headers
  readonly cookies: readonly (readonly [string, string])[]
  readonly session: AuthSession
  readonly user: AuthUser
  readonly principal: Principal
}

/** A request with these headers. */
export function requestWith(headers: Headers, url = '/api/v1/auth/session'): AuthnRequest {
  return toAuthnRequest({ url, headers })
}

/** A request with these cookies and nothing else. */
export function requestWithCookies(cookies: readonly (readonly [string, string])[]): AuthnRequest {
  return requestWith({ cookie: cookieHeader(cookies) })
}

/** Signs in a new user; with `as`, the same person once more. */
export async function signIn(scene: Scene, as?: Person): Promise<Person> {
  const { harness, backend } = scene
  const person = await meet(scene, await harness.signIn(backend, as?.signedIn))
  if (as) {
    const fix = 'harness.signIn(backend, as) must open another session of the same person'
    assert.equal(person.user.id, as.user.id, fix)
    assert.notEqual(person.session.id, as.session.id, fix)
  }
  return person
}

async function meet(scene: Scene, signedIn: SignedIn): Promise<Person> {
  const headers = lowerCase(signedIn.headers)
  const result = await authenticate(scene, requestWith(headers), 'a user who just signed in')
  assert.ok(result.ok, 'a user who just signed in is not signed in')
  const { session, user, principal } = result
  return { signedIn, headers, cookies: parseCookieHeader(headers.cookie), session, user, principal }
}

const lowerCase = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Asks who it is; `authenticate` must not throw. */
export async function authenticate(
  { backend }: Scene,
  request: AuthnRequest,
  whom: string,
): Promise<AuthnResult> {
  try {
    return await backend.authenticate(request)
  } catch (error) {
    assert.fail(`authenticate threw ${String(error)} for ${whom}`)
  }
}

const REASONS = [
  'credential-missing',
  'credential-invalid',
  'session-unknown',
  'session-expired',
  'session-revoked',
]

/** The request is anonymous, and nothing is said about anybody. */
export async function expectNobody(
  scene: Scene,
  request: AuthnRequest,
  whom: string,
): Promise<void> {
  const result = await authenticate(scene, request, whom)
  assert.equal(result.ok, false, `${whom} must be anonymous, but is a user`)
  assert.ok(!result.ok && REASONS.includes(result.reason), `${whom}: the reason is not one of ours`)
  for (const key of ['session', 'user', 'principal']) {
    assert.ok(!(key in result), `${whom} must be anonymous, but the result has a ${key}`)
  }
  assert.ok(Array.isArray(result.setCookies), `${whom}: setCookies is not a list`)
}

/** The request is from this person, in this session. */
export async function expectPerson(
  scene: Scene,
  request: AuthnRequest,
  person: Person,
  when: string,
): Promise<Extract<AuthnResult, { ok: true }>> {
  const result = await authenticate(scene, request, when)
  assertPerson(result, person, when)
  return result
}

/** The result is about this person, in this session. */
export function assertPerson(
  result: AuthnResult,
  { session, user }: Person,
  when: string,
): asserts result is Extract<AuthnResult, { ok: true }> {
  assert.ok(result.ok, `no user is signed in: ${when}`)
  assert.equal(result.user.id, user.id, `it is another person: ${when}`)
  assert.equal(result.session.id, session.id, `it is another session: ${when}`)
  assert.equal(result.session.userId, user.id, `it is the session of another user: ${when}`)
  assert.equal(result.principal.subject, user.id, `the principal is another user: ${when}`)
}

/** The person's own request, as their browser sends it. */
export const requestOf = (person: Person): AuthnRequest => requestWith(person.headers)

/** The session has ended for the user who has it. */
export const expectOver = (scene: Scene, person: Person, whom: string): Promise<void> =>
  expectNobody(scene, requestOf(person), whom)

/** The session goes on. */
export async function expectAlive(scene: Scene, person: Person, when: string): Promise<void> {
  await expectPerson(scene, requestOf(person), person, when)
}

type HookName = 'expire' | 'revokeElsewhere' | 'refreshDue'

/** Lets a hook of the harness change the session; returns what the person sends from then on. */
export async function change(
  { harness, backend }: Scene,
  hook: HookName,
  person: Person,
  claim?: string,
): Promise<Headers> {
  const run: SessionHook | undefined = harness[hook]
  if (!run) return missingHook(hook, claim)
  const changed = await run(backend, person.signedIn)
  return changed ? lowerCase(changed.headers) : person.headers
}

/** A hook that is absent skips the check, or fails it when the backend claims what it would show. */
export function missingHook(hook: keyof AuthBackendHarness, claim?: string): never {
  if (claim !== undefined) assert.fail(`${claim}, so the harness needs ${hook}`)
  return skip(`the harness has no ${hook}`)
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<Error> {
  const error = await promise.then(
    () => assert.fail(`${what} must be refused, but was answered`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error, `${what} was rejected with something that is no Error`)
  return error
}

/** Lets the clock go on, since two things of one millisecond have no order. */
export async function nextMillisecond(): Promise<void> {
  const start = Date.now()
  while (Date.now() === start) await new Promise((resolve) => setImmediate(resolve))
}
