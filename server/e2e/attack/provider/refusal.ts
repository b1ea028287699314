import { expect } from 'vitest'
import { type AuthErrorCode, AUTH_ERRORS, ProblemDocument } from '../../../../contract/errors.js'
import { SESSION_COOKIE } from '../../support/sign-in.js'
import type { UserAgent } from '../../support/user-agent.js'
import type { Scene } from './scene.js'
import { MARKER, SHORT_SECRET } from './tampering.js'

/** The Accept header of a browser that follows a link. */
export const NAVIGATION = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const JSON_CALLER = 'application/json'

/** Words of libraries and the runtime that must not appear in the service's texts. */
const INTERNALS =
  /oauth4webapi|openid-client|\bjose\b|node_modules|OAUTH_|OperationProcessing|SyntaxError|TypeError|RangeError|AbortError|TimeoutError|ECONN|undici|Unexpected token|is not valid JSON|\bat [\w.<>]+ \(|prisma|postgres|SELECT /i

/** More than its first letters, which a random id may have by chance. */
const JWT = /eyJ[\w-]{8,}\.[\w-]+/

/** An attack: the steps of the browser up to the response that must reject it. */
export type Attack = (agent: UserAgent, accept: string) => Promise<Response>

/** A complete sign-in at a hostile provider, including the callback. */
export const signInAt =
  (scene: Scene, providerId = 'evil'): Attack =>
  async (agent, accept) =>
    agent.fetch(await scene.callbackUrl(agent, providerId), { headers: { accept } })

/** Only the start of a sign-in, which uses the metadata. */
export const startAt =
  (providerId = 'evil'): Attack =>
  (agent, accept) =>
    agent.post('/api/v1/auth/signin', { providerId }, { accept })

/**
 * Runs an attack as a JSON caller and as a browser. Both must be rejected with the code and the service's
 * own text. No session is created, no secret is disclosed, and the next sign-in works.
 */
export async function expectRefused(
  scene: Scene,
  attack: Attack,
  {
    code = 'AUTH_PROVIDER_ERROR',
    provoked = true,
  }: {
    code?: AuthErrorCode
    /** `false` when the browser attacks and the provider is honest. */
    provoked?: boolean
  } = {},
): Promise<void> {
  const before = { ...(await scene.count()), line: scene.service.log.length }
  const tampered = tamperedAnswers(scene)
  for (const accept of [JSON_CALLER, NAVIGATION]) {
    const agent = scene.newAgent()
    const response = await attack(agent, accept)
    await expectRefusal(response, code, accept)
    await expectAnonymous(agent)
  }
  // A rejection of an unmodified response would prove nothing.
  if (provoked) expect(tamperedAnswers(scene)).toBeGreaterThan(tampered)
  expect(await scene.count()).toEqual({ sessions: before.sessions, victims: before.victims })
  expectQuietLog(scene, before.line)
  await expectHealthy(scene)
}

/** Expects a rejection with the code, as a problem document or as a page. */
export async function expectRefusal(
  response: Response,
  code: AuthErrorCode,
  accept = JSON_CALLER,
): Promise<void> {
  const text = await response.text()
  expect({ status: response.status, text }).toMatchObject({ status: AUTH_ERRORS[code].status })
  expect(response.headers.get('cache-control')).toBe('no-store')
  const given = response.headers.getSetCookie().filter((cookie) => !/Max-Age=0/i.test(cookie))
  expect(given).toEqual([])
  expect(text).not.toMatch(INTERNALS)
  expect(text).not.toContain(MARKER)
  expect(text).not.toMatch(JWT)
  if (accept === NAVIGATION) {
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(text).toContain(`<code>${code}</code>`)
    expect(text).not.toMatch(/<script|\son\w+=|javascript:/i)
  } else {
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(ProblemDocument.parse(JSON.parse(text))).toMatchObject({ code })
    expect(Object.keys(JSON.parse(text) as object)).toEqual(
      ['type', 'title', 'status', 'detail', 'code', 'data'].slice(
        0,
        text.includes('"data"') ? 6 : 5,
      ),
    )
  }
}

/** The browser holds no session, and the service says so. */
export async function expectAnonymous(agent: UserAgent): Promise<void> {
  expect(await agent.cookies('/')).not.toHaveProperty(SESSION_COOKIE)
  const me = await agent.fetch('/api/v1/auth/me')
  expect(await me.text()).toBe('{"authenticated":false}')
}

/** One JSON line per entry, without credentials and without text from the attacker. */
export function expectQuietLog(scene: Scene, fromLine = 0): void {
  const lines = scene.service.log.slice(fromLine)
  for (const line of lines) {
    expect(line).toMatch(/^[^\u0000-\u001f]+\n$/)
    expect(() => JSON.parse(line) as unknown).not.toThrow()
  }
  const text = lines.join('')
  expect(text).not.toContain(MARKER)
  expect(text).not.toContain(SHORT_SECRET)
  expect(text).not.toMatch(JWT)
  expect(text).not.toMatch(/[a-z]+@example\.test/)
  for (const { secrets } of Object.values(scene.hostile)) {
    for (const secret of secrets) {
      if (text.includes(secret)) expect.fail(`The log holds ${secret.slice(0, 40)}`)
    }
  }
}

/** Checks that the service is alive and that a user can sign in at the honest provider and out again. */
export async function expectHealthy(scene: Scene): Promise<void> {
  const agent = scene.newAgent()
  const callback = await agent.fetch(await scene.callbackUrl(agent, 'good', 'grace'))
  expect(callback.status).toBe(303)
  const me = (await (await agent.fetch('/api/v1/auth/me')).json()) as object
  expect(me).toMatchObject({ authenticated: true, session: { subject: 'grace' } })
  expect((await agent.post('/api/v1/auth/signout')).status).toBe(200)
}

const tamperedAnswers = ({ hostile }: Scene): number =>
  Object.values(hostile).reduce((sum, provider) => sum + provider.tampered(), 0)
