import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as guard from '../../client/guard/index.js'
import { readBlocks, runBlock } from './support/readme-block.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

const servers: Server[] = []
afterAll(() => Promise.all(servers.map((server) => new Promise((done) => server.close(done)))))

/** Somebody else's service. */
async function consumer(build: (app: Express) => unknown): Promise<string> {
  const app = express()
  await build(app)
  const server = createServer((req, res) => void app(req, res))
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

/** A request to the consuming service, as the browser would send it: ports share cookies. */
const asks = async (agent: UserAgent, url: string, init?: RequestInit) => {
  const response = await agent.fetch(url, init)
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, body, headers: response.headers }
}

describe('a service that is guarded as the README says', () => {
  let auth: TestService
  let orders: string
  beforeAll(async () => {
    auth = await startTestService()
    const [block = ''] = (await readBlocks('README.md')).filter((code) =>
      /requireSession/.test(code),
    )
    expect(block.split('\n').filter(Boolean)).toHaveLength(5)
    orders = await consumer((app) =>
      runBlock(block, {
        modules: { '@netscript/plugin-auth/guard': guard },
        given: { app, AUTH_API: auth.origin },
      }),
    )
  })
  afterAll(() => auth.close())

  it('refuses strangers, serves people, and sees the end of a session at once', async () => {
    const agent = createUserAgent(auth.origin)
    const stranger = await asks(agent, `${orders}/orders`)
    expect(stranger).toMatchObject({ status: 401, body: { code: 'UNAUTHORIZED' } })
    expect(stranger.headers.get('www-authenticate')).toBe(`Bearer realm="${auth.origin}"`)

    await signIn(agent)
    const { user } = await me(agent)
    expect(await asks(agent, `${orders}/orders`)).toMatchObject({
      status: 200,
      body: { ordersOf: user.id },
    })

    const cookie = await agent.jar.getCookieString(auth.origin.replace('http:', 'https:'))
    await agent.post('/api/v1/auth/signout')
    const signedOut = await asks(agent, `${orders}/orders`, { headers: { cookie } })
    expect(signedOut.status).toBe(401)
  })
})
