import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestService, type TestService } from '../support/service.js'
import { startSignIn } from '../support/sign-in.js'
import { createUserAgent } from '../support/user-agent.js'

describe('what binds a flow to the browser', () => {
  let service: TestService
  beforeAll(async () => {
    service = await startTestService()
  })
  afterAll(() => service.close())

  it('is not in the address of the provider, nor in the body', async () => {
    const agent = createUserAgent(service.origin)
    const started = await startSignIn(agent)
    const [secret = ''] = Object.values(await agent.cookies('/'))
    expect(secret).toHaveLength(43)
    expect(JSON.stringify(started)).not.toContain(secret)
  })
})
