import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { CookieJar } from 'tough-cookie'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import * as guard from '../../client/guard/index.js'
import { createAuthClient } from '../../client/index.js'
import { completeLogin } from './support/oidc-login.js'
import { readBlocks, runBlock } from './support/readme-block.js'
import { startTestService, type TestService } from './support/service.js'
import { me, SESSION_COOKIE, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const { createSessionAuthenticator, createTokenAuthenticator, requireRecentAuth, withAuthn } = guard
const AUDIENCE = 'https://orders.example'

let service: TestService
let server: Server
let orders: string
beforeAll(async () => {
  service = await startTestService({ env: { NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE } })
  const app = express()
  const session = createSessionAuthenticator({ baseUrl: service.origin })
  const token = createTokenAuthenticator({ issuer: service.origin, audience: AUDIENCE })
  app.use('/session', withAuthn({ authenticator: session }))
  app.use('/token', withAuthn({ authenticator: token }))
  app.use(requireRecentAuth({ maxAge: 300 }), (req, res) => void res.json(req.principal))
  server = createServer((req, res) => void app(req, res))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  orders = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise((done) => server.close(done))
  await service.close()
})

/** A browser that remembers the provider as well. */
function browser() {
  const agent = createUserAgent(service.origin)
  const cookieJar = new CookieJar()
  const answerAt = async (url: string, login = 'ada'): Promise<Response> =>
    agent.fetch(await completeLogin(url, { login, cookieJar }))
  return {
    agent,
    answerAt,
    signIn: async (input: object = {}, login = 'ada'): Promise<Response> =>
      answerAt((await startSignIn(agent, input)).redirectUrl, login),
  }
}

async function sessionOf(agent: UserAgent) {
  const { session, user } = await me(agent)
  return { ...(session as { id: string; authTime?: string; acr?: string }), userId: user.id }
}

const aSecond = () => new Promise((done) => setTimeout(done, 1_100))

describe('maxAge at the local provider', () => {
  it('of 0 makes the user sign in again, and a longer one only if it is exceeded', async () => {
    const { agent, signIn } = browser()
    expect((await signIn()).status).toBe(303)
    expect((await sessionOf(agent)).authTime).toBeUndefined()

    expect((await signIn({ maxAge: 300 })).status).toBe(303)
    const first = await sessionOf(agent)
    expect(Date.now() - Date.parse(first.authTime ?? '')).toBeLessThan(60_000)
    await aSecond()
    expect((await signIn({ maxAge: 300 })).status).toBe(303)
    const kept = await sessionOf(agent)
    expect(kept).toMatchObject({ authTime: first.authTime, userId: first.userId })
    expect(kept.id).not.toBe(first.id)

    for (const input of [{ maxAge: 0 }, { maxAge: 300, prompt: 'login' }]) {
      const before = await sessionOf(agent)
      await aSecond()
      expect((await signIn(input)).status).toBe(303)
      const { authTime = '' } = await sessionOf(agent)
      expect(Date.parse(authTime)).toBeGreaterThan(Date.parse(before.authTime ?? ''))
    }
  })

  it('keeps the session when another user signs in instead, who has no session then', async () => {
    const { agent, signIn } = browser()
    await signIn()
    const before = await sessionOf(agent)
    const answer = await signIn({ maxAge: 0 }, 'grace')
    expect([answer.status, await answer.json()]).toMatchObject([
      409,
      { code: 'AUTH_SESSION_CHANGED' },
    ])
    expect(answer.headers.getSetCookie().join()).not.toContain(SESSION_COOKIE)
    expect(await sessionOf(agent)).toEqual(before)
  })

  it('is no proof of a class that the provider does not know', async () => {
    const { agent, signIn } = browser()
    await signIn()
    const before = await sessionOf(agent)
    const answer = await signIn({ acrValues: ['urn:example:mfa'] })
    expect([answer.status, await answer.json()]).toMatchObject([
      403,
      { code: 'AUTH_STEP_UP_FAILED' },
    ])
    expect(await sessionOf(agent)).toEqual(before)
  })
})

describe('the guide to step-up', () => {
  it('protects a route, and its page starts the sign-in', async () => {
    const [guarded = '', page = ''] = await readBlocks('client/guard/STEP-UP.md')
    const app = express()
    await runBlock(guarded, {
      modules: { '@netscript/auth-guard': guard, express: { default: () => app } },
      given: { AUTH_API: service.origin },
    })
    const own = createServer((req, res) => void app(req, res))
    await new Promise<void>((done) => own.listen(0, '127.0.0.1', done))
    onTestFinished(() => void own.close())
    const { agent, signIn, answerAt } = browser()
    await signIn()
    const visited: string[] = []
    const statuses: number[] = []
    const { deleteOrder } = await runBlock(page, {
      modules: {
        '@netscript/auth-client': {
          createAuthClient: ({ baseUrl = '' }) =>
            createAuthClient({
              baseUrl,
              fetch: (url, init) => agent.fetch(url, init),
              navigate: (url) => visited.push(url),
            }),
        },
      },
      given: {
        AUTH_API: service.origin,
        fetch: async (path: string, init: RequestInit) => {
          const { port } = own.address() as AddressInfo
          const response = await agent.fetch(`http://localhost:${port}${path}`, init)
          statuses.push(response.status)
          return response
        },
      },
      wanted: ['deleteOrder'],
    })
    await (deleteOrder as (id: string) => Promise<void>)('1')
    const back = await answerAt(visited[0] ?? '')
    expect(back.headers.get('location')).toBe(`${service.origin}/orders`)
    await (deleteOrder as (id: string) => Promise<void>)('1')
    expect(statuses).toEqual([401, 200])
    expect(visited).toHaveLength(1)
  })
})

describe('a guarded service', () => {
  async function ask(agent: UserAgent, kind: 'session' | 'token'): Promise<Response> {
    const credential =
      kind === 'session'
        ? { cookie: await agent.jar.getCookieString(service.origin.replace('http:', 'https:')) }
        : { authorization: `Bearer ${await tokenOf(agent)}` }
    return fetch(`${orders}/${kind}`, { headers: credential })
  }
  async function tokenOf(agent: UserAgent): Promise<string> {
    const response = await agent.post('/api/v1/auth/token', { audience: AUDIENCE })
    return ((await response.json()) as { token: string }).token
  }

  it.each(['session', 'token'] as const)(
    'with a %s asks for a step-up, which the client starts in one call',
    async (kind) => {
      const { agent, signIn, answerAt } = browser()
      await signIn()
      const refused = await ask(agent, kind)
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toMatch(
        /error="insufficient_user_authentication", max_age="300"$/,
      )
      const visited: string[] = []
      const auth = createAuthClient({
        baseUrl: service.origin,
        fetch: (url, init) => agent.fetch(url, init),
        navigate: (url) => visited.push(url),
      })
      expect(await auth.stepUp(refused, { redirectTo: '/' })).toBe(true)
      expect((await answerAt(visited[0] ?? '')).status).toBe(303)

      const accepted = await ask(agent, kind)
      expect(accepted.status).toBe(200)
      const { authTime = '' } = await sessionOf(agent)
      const seconds = Date.parse(authTime) / 1000
      expect(await accepted.json()).toMatchObject({ claims: { auth_time: seconds } })
      expect(decodeJwt(await tokenOf(agent)).auth_time).toBe(seconds)
    },
  )
})
