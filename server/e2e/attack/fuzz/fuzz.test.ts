import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeLogin } from '../../support/oidc-login.js'
import { startTestService, type TestService } from '../../support/service.js'
import { SESSION_COOKIE, signIn, startSignIn } from '../../support/sign-in.js'
import { createUserAgent } from '../../support/user-agent.js'
import type { AttackTarget } from '../../../attack/target.js'
import { readDocument, readOperations } from './document.js'
import { fuzz, isHealthy } from './fuzz.js'

/** Requests to each route; `test:attack` against a running service sends 2,000. */
const RUNS = 300

describe('requests derived from the document', () => {
  let service: TestService
  let target: AttackTarget
  beforeAll(async () => {
    service = await startTestService()
    target = {
      baseUrl: service.origin,
      interactive: true,
      async signIn() {
        const agent = createUserAgent(service.origin)
        await signIn(agent)
        return `${SESSION_COOKIE}=${(await agent.cookies('/'))[SESSION_COOKIE]}`
      },
    }
  })
  afterAll(() => service.close())

  // A fixed number of requests rather than a time limit, so that slow machines send the same.
  it('get a declared and valid response on every route', { timeout: 900_000 }, async () => {
    const failures: string[] = []
    const reached = new Set<string>()
    for await (const { operation, statuses, failure } of fuzz(target, { runs: RUNS })) {
      for (const status of statuses.keys()) reached.add(`${operation} ${status}`)
      if (failure !== undefined) failures.push(`${operation}: ${failure}`)
    }
    expect(failures.join('\n\n')).toBe('')
    // Some requests must succeed: fuzz that is always rejected tests nothing.
    for (const answer of [
      ...['signin 200', 'signin 303', 'signin 400', 'signin 403', 'signin 413', 'signin 415'],
      ...['signin 422', 'signout 200', 'signout 303', 'signout 422', 'callback 400'],
      ...['callback 422', 'session 200', 'me 200', 'sessions 200', 'sessions 401'],
      ...['revokeSession 401', 'revokeSession 404', 'logout 400', 'loggedOut 422'],
    ]) {
      expect(reached, answer).toContain(answer)
    }
    expect(new Set([...reached].map((pair) => pair.split(' ')[0]))).toEqual(
      new Set(readOperations(readDocument()).map(({ id }) => id)),
    )
    expect(await isHealthy(target)).toBe(true)
    expect(service.log.filter((line) => line.includes('"level":50'))).toEqual([])
  })

  it(
    'start no session with a forged callback of a live transaction',
    { timeout: 900_000 },
    async () => {
      const made = fc.record(
        {
          code: fc.string({ maxLength: 40 }),
          error: fc.constantFrom('access_denied', 'server_error', '<script>', 'x'.repeat(300)),
          error_description: fc.string({ unit: 'binary', maxLength: 20 }),
          iss: fc.constantFrom(service.provider.issuer, 'https://evil.example', ''),
          provider: fc.constantFrom('local', 'evil'),
          response: fc.constantFrom('eyJhbGciOiJub25lIn0.e30.'),
          id_token: fc.constantFrom('eyJhbGciOiJub25lIn0.e30.'),
        },
        { requiredKeys: [] },
      )
      await fc.assert(
        fc.asyncProperty(made, async (parameters) => {
          const agent = createUserAgent(service.origin)
          const { state } = await startSignIn(agent)
          const query = new URLSearchParams({ ...parameters, state })
          const answer = await agent.fetch(`/api/v1/auth/callback?${query}`)
          expect([400, 403, 422, 502]).toContain(answer.status)
          expect(await answer.text()).not.toContain('<script>')
          expect(Object.keys(await agent.cookies('/'))).not.toContain(SESSION_COOKIE)
        }),
        { numRuns: 60 },
      )
    },
  )

  it('do not prevent a valid sign-in afterwards', async () => {
    const agent = createUserAgent(service.origin)
    const { redirectUrl } = await startSignIn(agent)
    const callback = await agent.fetch(await completeLogin(redirectUrl, { login: 'ada' }))
    expect(callback.status).toBe(303)
  })
})
