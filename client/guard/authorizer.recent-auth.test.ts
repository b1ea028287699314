import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initContract } from '@ts-rest/core'
import express from 'express'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { RecentAuth } from '../../contract/route.js'
import type { Principal } from '../../contract/session.js'
import { ProblemDocument, problems } from '../../contract/errors.js'
import { authenticated, type Authenticator } from './authenticator.js'
import { checkRecentAuth, createScopeAuthorizer } from './authorizer.js'
import {
  type ExpressMiddleware,
  guardContract,
  requireRecentAuth,
  requireSession,
  withAuthn,
  withAuthz,
} from './express.js'

const NOW = Date.UTC(2030, 0, 1)
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }))
afterEach(() => void vi.useRealTimers())

const ago = (seconds: number): number => NOW / 1000 - seconds
const principalWith = (claims: object, scheme: Principal['scheme'] = 'custom'): Principal => ({
  ...{ subject: 'ada', scopes: [], roles: [], scheme },
  claims: { ...claims },
})

/** Every claim and requirement, and whether the caller is let through. */
const CASES: [boolean, object, RecentAuth][] = [
  [true, { auth_time: ago(0) }, { maxAge: 1 }],
  [true, { auth_time: ago(300) }, { maxAge: 300 }],
  [true, { auth_time: ago(305) }, { maxAge: 300 }],
  [false, { auth_time: ago(306) }, { maxAge: 300 }],
  [true, { auth_time: ago(-5) }, { maxAge: 300 }],
  [false, { auth_time: ago(-6) }, { maxAge: 300 }],
  [false, {}, { maxAge: 31_536_000 }],
  [false, { auth_time: undefined }, { maxAge: 300 }],
  [false, { auth_time: null }, { maxAge: 300 }],
  [false, { auth_time: String(ago(1)) }, { maxAge: 300 }],
  [false, { auth_time: NaN }, { maxAge: 300 }],
  [false, { auth_time: Infinity }, { maxAge: 300 }],
  // In milliseconds.
  [false, { auth_time: NOW }, { maxAge: 300 }],
  [false, { authTime: ago(1) }, { maxAge: 300 }],
  [true, { auth_time: ago(1), acr: 'mfa' }, { maxAge: 300, acr: 'mfa' }],
  [true, { auth_time: ago(1), acr: 'mfa' }, { maxAge: 300, acr: ['phr', 'mfa'] }],
  [true, { auth_time: ago(1), acr: 'pwd' }, { maxAge: 300 }],
  [false, { auth_time: ago(1), acr: 'pwd' }, { maxAge: 300, acr: 'mfa' }],
  [false, { auth_time: ago(1), acr: 'm' }, { maxAge: 300, acr: 'mfa' }],
  [false, { auth_time: ago(1), acr: ['mfa'] }, { maxAge: 300, acr: 'mfa' }],
  [false, { auth_time: ago(1) }, { maxAge: 300, acr: ['mfa'] }],
  [false, { auth_time: ago(900), acr: 'mfa' }, { maxAge: 300, acr: 'mfa' }],
]

const contractWith = (recentAuth: RecentAuth) =>
  initContract().router({
    mine: {
      method: 'GET',
      path: '/mine',
      responses: {
        200: z.object({}),
        ...problems('UNAUTHORIZED', 'AUTH_RECENT_SIGN_IN_REQUIRED', 'AUTH_UNAVAILABLE'),
      },
      metadata: { auth: { recentAuth } },
    },
  })

/** The guards that can carry a requirement. */
const GUARDS: Readonly<Record<string, (requirement: RecentAuth) => ExpressMiddleware>> = {
  requireRecentAuth,
  createScopeAuthorizer: (requirement) =>
    withAuthz({
      authorizer: createScopeAuthorizer({
        rules: [{ match: () => true, requireRecentAuth: requirement }],
      }),
    }),
  guardContract(requirement) {
    const contract = contractWith(requirement)
    const guard = guardContract(contract)
    return (req, res, next) => guard(Object.assign(req, { tsRestRoute: contract.mine }), res, next)
  },
}

describe.each(Object.entries(GUARDS))('%s', (_name, guardWith) => {
  let server: Server
  let principal: Principal
  let requirement: RecentAuth
  let realm: string | undefined
  const log: object[] = []
  beforeAll(async () => {
    const app = express()
    const authenticator: Authenticator = {
      get realm() {
        return realm as string
      },
      authenticate: async () => authenticated(structuredClone(principal)),
    }
    const note = (fields: object) => void log.push(fields)
    app.use(withAuthn({ authenticator, log: { info: note, warn: note } }), requireSession())
    app.use((req, res, next) => void guardWith(requirement)(req, res, next))
    app.use((_req, res) => void res.json({}))
    server = createServer((req, res) => void app(req, res))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  })
  afterAll(() => new Promise((done) => server.close(done)))
  const get = () => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mine`)

  it.each(CASES)('passes: %j, for %j and %j', async (passes, claims, given) => {
    principal = principalWith(claims)
    requirement = given
    expect((await get()).status).toBe(passes ? 200 : 401)
    expect(checkRecentAuth(principal, given) === undefined).toBe(passes)
  })

  it.each(['bearer', 'custom'] as const)(
    'answers with the challenge of RFC 9470 and the sign-in to start, for %s',
    async (scheme) => {
      realm = 'https://auth.example'
      principal = principalWith({ auth_time: ago(900), providerId: 'idp' }, scheme)
      requirement = { maxAge: 300, acr: ['phr', 'mfa'] }
      log.length = 0
      const response = await get()
      expect(response.headers.get('www-authenticate')).toBe(
        'Bearer realm="https://auth.example", error="insufficient_user_authentication", max_age="300", acr_values="phr mfa"',
      )
      expect(response.headers.get('content-type')).toMatch('application/problem+json')
      expect(response.headers.get('cache-control')).toBe('no-store')
      const problem: unknown = await response.json()
      expect(ProblemDocument.parse(problem)).toEqual(problem)
      const required = { maxAge: 300, acrValues: ['phr', 'mfa'] }
      expect(problem).toMatchObject({
        status: 401,
        code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
        data: { ...required, signin: { providerId: 'idp', ...required } },
      })
      expect(log).toEqual([
        { code: 'AUTH_RECENT_SIGN_IN_REQUIRED', reason: 'authz.recent-auth-required' },
      ])
    },
  )

  it('challenges without a realm and without a provider where neither is known', async () => {
    realm = undefined
    principal = principalWith({})
    requirement = { maxAge: 60 }
    const response = await get()
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age="60"',
    )
    expect(await response.json()).toMatchObject({ data: { maxAge: 60, signin: { maxAge: 60 } } })
  })

  it.each<[string, unknown]>([
    ['no age', {}],
    ['an age of 0, which no caller meets', { maxAge: 0 }],
    ['a negative age', { maxAge: -1 }],
    ['an age over a year', { maxAge: 31_536_001 }],
    ['a fraction', { maxAge: 1.5 }],
    ['no number', { maxAge: '300' }],
    ['an infinite age', { maxAge: Infinity }],
    ['no class', { maxAge: 1, acr: [] }],
    ['an empty class', { maxAge: 1, acr: '' }],
    ['a class with a space', { maxAge: 1, acr: 'a b' }],
    ['a class with a quote', { maxAge: 1, acr: 'a"' }],
    ['a misspelt member', { maxAge: 1, acrs: 'mfa' }],
  ])('throws at start for %s', (_what, wrong) => {
    expect(() => guardWith(wrong as RecentAuth)).toThrow(TypeError)
  })
})

it('asks for missing roles before a recent sign-in, which would not help', () => {
  const rule = { match: () => true, requireRoles: ['clerk'], requireRecentAuth: { maxAge: 60 } }
  const authorizer = createScopeAuthorizer({ rules: [rule] })
  const request = { principal: principalWith({}), method: 'GET', path: '/' }
  expect(authorizer.authorize(request)).toMatchObject({ reason: 'authz.missing-role:clerk' })
  const clerk = { ...request, principal: { ...request.principal, roles: ['clerk'] } }
  expect(authorizer.authorize(clerk)).toEqual({
    allow: false,
    reason: 'authz.recent-auth-required',
    recentAuth: { maxAge: 60 },
  })
})

it('responds without Express too', async () => {
  const refusal = checkRecentAuth(principalWith({}), { maxAge: 60 }, { realm: 'r' })
  if (!refusal) throw new Error('not refused')
  const { problem, headers } = refusal
  const response = Response.json(problem, { status: problem.status, headers })
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toMatch('Bearer realm="r", error="insuff')
})
