import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initContract } from '@ts-rest/core'
import { createExpressEndpoints } from '@ts-rest/express'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { problems } from '../../contract/errors.js'
import { createGuardedDocument } from '../../openapi/document.js'
import { guardContract, withAuthn } from './express.js'
import { createStaticCredentialAuthenticator } from './static-credentials.js'

const c = initContract()
const responses = {
  200: z.object({ of: z.string() }).meta({ id: 'Orders', description: 'Orders.' }),
  404: z.object({ message: z.string() }).meta({ id: 'Missing', description: 'There is none.' }),
  ...problems('UNAUTHORIZED', 'FORBIDDEN', 'AUTH_UNAVAILABLE'),
}
const contract = c.router({
  list: {
    method: 'GET',
    path: '/orders',
    summary: 'Orders',
    responses,
    metadata: { auth: { scopes: ['orders:read'] } },
  },
  change: {
    one: {
      method: 'POST',
      path: '/orders/:id',
      summary: 'Change',
      body: z.object({ note: z.string() }).meta({ id: 'Note', description: 'A note.' }),
      responses,
      metadata: { auth: { scopes: ['orders:write'], roles: ['clerk'] } },
    },
  },
  mine: { method: 'GET', path: '/mine', summary: 'Mine', responses, metadata: { auth: {} } },
  open: {
    method: 'GET',
    path: '/open',
    summary: 'Open',
    responses: { 200: responses[200] },
    metadata: { auth: { public: true } },
  },
})

let server: Server
let origin: string
beforeAll(async () => {
  const app = express()
  const authenticator = createStaticCredentialAuthenticator({
    credentials: {
      reader: { subject: 'reader', scopes: ['orders:read'] },
      clerk: { subject: 'clerk', scopes: ['orders:write'], roles: ['clerk'] },
    },
  })
  app.use(express.json(), withAuthn({ authenticator }))
  const answer = async ({ req }: { req: { principal: { subject: string } } }) => ({
    status: 200 as const,
    body: { of: req.principal.subject },
  })
  createExpressEndpoints(
    contract,
    {
      list: answer,
      change: { one: answer },
      mine: answer,
      open: async () => ({ status: 200, body: { of: 'anybody' } }),
    },
    app,
    { globalMiddleware: [guardContract(contract)] },
  )
  server = createServer((req, res) => void app(req, res))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((done) => server.close(done)))

const ask = async (path: string, token?: string, body?: object) => {
  const response = await fetch(origin + path, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('guardContract', () => {
  it('enforces metadata.auth of each route', async () => {
    expect((await ask('/orders')).status).toBe(401)
    expect((await ask('/mine')).status).toBe(401)
    expect(await ask('/open')).toEqual({ status: 200, body: { of: 'anybody' } })
    expect(await ask('/orders', 'reader')).toEqual({ status: 200, body: { of: 'reader' } })
    expect(await ask('/mine', 'clerk')).toEqual({ status: 200, body: { of: 'clerk' } })
    expect(await ask('/orders', 'clerk')).toMatchObject({
      status: 403,
      body: { data: { missingScopes: ['orders:read'] } },
    })
  })

  it('authorizes before the input is validated', async () => {
    expect((await ask('/orders/1', 'reader', { wrong: 1 })).status).toBe(403)
    expect((await ask('/orders/1', 'clerk', { wrong: 1 })).status).toBe(400)
    expect((await ask('/orders/1', 'clerk', { note: 'x' })).status).toBe(200)
  })

  it.each<[string, object | undefined]>([
    ['no metadata', undefined],
    ['auth: undefined', { auth: undefined }],
    ['a misspelt key', { auth: { scope: ['x'] } }],
    ['a string', { auth: 'public' }],
    ['public together with scopes', { auth: { public: true, scopes: ['x'] } }],
    ['public: false', { auth: { public: false } }],
    ['scopes that are not a list', { auth: { scopes: 'x' } }],
  ])('throws for a route with %s', (_what, metadata) => {
    const nested = { deep: { list: { ...contract.list, metadata } } } as unknown
    expect(() => guardContract(nested as typeof contract)).toThrow(/^deep\.list: /)
  })

  it('throws on a route of another contract', () => {
    const other = guardContract({ mine: contract.mine }) as unknown as (req: object) => void
    expect(() => other({ tsRestRoute: contract.open })).toThrow(/not part of the guarded contract/)
  })
})

describe('createGuardedDocument', () => {
  const document = createGuardedDocument({
    info: { title: 'Orders', version: '1.0.0' },
    serverUrl: 'https://orders.example.com',
    contracts: [{ tag: 'Orders', description: 'What was ordered.', contract }],
  })
  const operation = (path: string, method = 'get') => document.paths[path]?.[method]

  it('declares as security what guardContract enforces', () => {
    const needs = (names: string[]) => [{ sessionCookie: names }, { bearerToken: names }]
    expect(operation('/orders')?.security).toEqual(needs(['orders:read']))
    expect(operation('/orders/{id}', 'post')?.security).toEqual(needs(['orders:write', 'clerk']))
    expect(operation('/mine')?.security).toEqual(needs([]))
    expect(operation('/open')?.security).toEqual([])
    expect(Object.keys(document.components.securitySchemes)).toEqual([
      'sessionCookie',
      'bearerToken',
    ])
  })

  it('omits headers of the authentication service and keeps error schemas of other services', () => {
    expect(operation('/orders')?.responses[200]).toMatchObject({ headers: {} })
    expect(operation('/orders')?.responses[404]).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Missing' } } },
    })
    expect(document.components.responses.Unauthorized?.headers).toEqual({
      'WWW-Authenticate': { $ref: '#/components/headers/Challenge' },
    })
    expect(JSON.stringify(document)).not.toMatch(/no-store|text\/html|signin/)
  })

  it('throws for metadata.auth that guardContract rejects', () => {
    const wrong = { list: { ...contract.list, metadata: { auth: { scope: ['x'] } } } }
    const contracts = [{ tag: 'X', description: 'X', contract: wrong }]
    const info = { title: 'X', version: '1' }
    expect(() => createGuardedDocument({ info, serverUrl: 'https://x', contracts })).toThrow(/list/)
  })
})
