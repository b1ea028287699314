import { afterAll, beforeAll, describe, it } from 'vitest'
import { BACKENDS_UNDER_TEST } from '../support/backends-under-test.js'
import { startTestService } from '../support/service.js'
import { signIn } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'
import { attackSuite } from '../../attack/suite.js'
import type { AttackTarget } from '../../attack/target.js'

const ALLOWED = ['https://app.example.test', 'http://partner.example.test:8080']

interface Victim {
  readonly origin: string
  signedIn(): Promise<UserAgent>
  close(): Promise<void>
}

async function startKvOAuth(): Promise<Victim> {
  const service = await startTestService({
    env: { NETSCRIPT_AUTH_ALLOWED_RETURN_TO: ALLOWED.join(' ') },
  })
  let people = 0
  return {
    origin: service.origin,
    close: () => service.close(),
    async signedIn() {
      const agent = createUserAgent(service.origin)
      const { accounts } = service.provider
      await signIn(agent, accounts[people++ % accounts.length]?.id)
      return agent
    },
  }
}

const VICTIMS: Readonly<Record<string, () => Promise<Victim>>> = {
  ...BACKENDS_UNDER_TEST,
  'kv-oauth': startKvOAuth,
}

describe.each(Object.keys(VICTIMS))('the HTTP surface of %s under attack', (name) => {
  let victim: Victim
  const target: AttackTarget = {
    // Only known when the service has started; the cases are listed before.
    get baseUrl() {
      return victim.origin
    },
    interactive: name === 'kv-oauth',
    allowedOrigins: name === 'kv-oauth' ? ALLOWED : [],
    async signIn() {
      const cookies = Object.entries(await (await victim.signedIn()).cookies('/'))
      return cookies.map(([cookie, value]) => `${cookie}=${value}`).join('; ')
    },
  }
  const suite = attackSuite(target)
  beforeAll(async () => {
    victim = await VICTIMS[name]!()
  })
  afterAll(async () => {
    suite.close()
    await victim.close()
  })

  for (const { group, name: claim, skipped, run } of suite.cases) {
    it.skipIf(skipped !== undefined)(`${group}: ${claim}`, run)
  }
})
