import assert from 'node:assert/strict'
import type { AuthSession, AuthUser } from '@netscript/auth-contract'
import type { AuthBackendPort, AuthnResult, Principal } from '../port.js'
import { type AuthnRequest, toAuthnRequest } from '../request.js'
import type { AuthBackendHarness, SessionHook, SignedIn } from './harness.js'
import { cookieHeader, parseCookieHeader } from './set-cookie.js'

/** The environment of a check: a backend of its own, and the harness that created it. */
export interface Scene {
  /** The harness that created the backend. */
  readonly harness: AuthBackendHarness
  /** Used by this check only, and closed afterwards. */
  readonly backend: AuthBackendPort
}

/** Request headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>

/** A signed-in user, with the result of `authenticate`. */
export interface Person {
  readonly signedIn: SignedIn
  readonly headers: Headers
  readonly cookies: readonly (readonly [string, string])[]
  readonly session: AuthSession
  readonly user: AuthUser
  readonly principal: Principal
}

export function requestWith(headers: Headers, url = '/api/v1/auth/session'): AuthnRequest {
  return toAuthnRequest({ url, headers })
}

export function requestWithCookies(cookies: readonly (readonly [string, string])[]): AuthnRequest {
  return requestWith({ cookie: cookieHeader(cookies) })
}

/** Signs in a new user; with `as`, the same user again. */
export async function signIn(scene: Scene, as?: Person): Promise<Person> {
  const { harness, backend } = scene
  const person = await meet(scene, await harness.signIn(backend, as?.signedIn))
  if (as) {
    const fix = 'harness.signIn(backend, as) must open another session of the same user'
    assert.equal(person.user.id, as.user.id, fix)
    assert.notEqual(person.session.id, as.session.id, fix)
  }
  return person
}

async function meet(scene: Scene, signedIn: SignedIn): Promise<Person> {
  const headers = lowerCase(signedIn.headers)
  const result = await authenticate(scene, requestWith(headers), 'a user who just signed in')
  assert.ok(result.ok, 'a user who just signed in is anonymous')
  const { session, user, principal } = result
  return { signedIn, headers, cookies: parseCookieHeader(headers.cookie), session, user, principal }
}

const lowerCase = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Authenticates a request. Fails the check if `authenticate` throws. */
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

/** Checks that a request is anonymous, and that the result contains no user. */
export async function expectNobody(
  scene: Scene,
  request: AuthnRequest,
  whom: string,
): Promise<void> {
  const result = await authenticate(scene, request, whom)
  assert.equal(result.ok, false, `${whom} must be anonymous, but is a user`)
  assert.ok(
    !result.ok && REASONS.includes(result.reason),
    `${whom}: the reason is not one of the port`,
  )
  for (const key of ['session', 'user', 'principal']) {
    assert.ok(!(key in result), `${whom} must be anonymous, but the result has a ${key}`)
  }
  assert.ok(Array.isArray(result.setCookies), `${whom}: setCookies is not a list`)
}

/** Checks that a request authenticates as this user and session. */
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

/** Checks that a result has this user and session. */
export function assertPerson(
  result: AuthnResult,
  { session, user }: Person,
  when: string,
): asserts result is Extract<AuthnResult, { ok: true }> {
  assert.ok(result.ok, `no user is signed in: ${when}`)
  assert.equal(result.user.id, user.id, `it is another user: ${when}`)
  assert.equal(result.session.id, session.id, `it is another session: ${when}`)
  assert.equal(result.session.userId, user.id, `it is the session of another user: ${when}`)
  assert.equal(result.principal.subject, user.id, `the principal is another user: ${when}`)
}

/** Checks the result of a schema of the contract. */
export function assertValid(
  result: { success: boolean; error?: Error | undefined },
  what: string,
): void {
  assert.ok(result.success, `${what} is not valid by the contract: ${result.error?.message}`)
}

/** A request with the credential of the user. */
export const requestOf = (person: Person): AuthnRequest => requestWith(person.headers)

/** Checks that the session has ended. */
export const expectOver = (scene: Scene, person: Person, whom: string): Promise<void> =>
  expectNobody(scene, requestOf(person), whom)

/** Checks that the session is live. */
export async function expectAlive(scene: Scene, person: Person, when: string): Promise<void> {
  await expectPerson(scene, requestOf(person), person, when)
}

type HookName = 'expire' | 'revokeElsewhere' | 'refreshDue'

/** Changes a session with a hook of the harness. Returns the headers that the user sends then. */
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

/** Skips the check for a missing hook, or fails it if the backend claims the capability. */
export function missingHook(hook: keyof AuthBackendHarness, claim?: string): never {
  if (claim !== undefined) assert.fail(`${claim}, so the harness needs ${hook}`)
  return skip(`the harness has no ${hook}`)
}

/** Returns the error of a promise, which must reject. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<Error> {
  const error = await promise.then(
    () => assert.fail(`${what} must reject, but resolved`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error, `${what} was rejected with something other than an Error`)
  return error
}

/** Waits for the next millisecond, because sessions of the same millisecond have no order. */
export async function nextMillisecond(): Promise<void> {
  const start = Date.now()
  while (Date.now() === start) await new Promise((resolve) => setImmediate(resolve))
}

/** Requirements for every backend, by a stable id in kebab case. */
export type AuthBackendChecks = Readonly<Record<string, AuthBackendCheck>>

interface AuthBackendCheck {
  /** The requirement as a sentence. */
  readonly title: string
  /** Rejects when the backend does not meet the requirement. */
  run(scene: Scene): Promise<void>
}

/** Thrown by a check that does not apply to the backend. */
export class CheckSkipped extends Error {
  override readonly name = 'CheckSkipped'
}

/** Skips the running check. `reason` says why it does not apply. */
export function skip(reason: string): never {
  throw new CheckSkipped(reason)
}
