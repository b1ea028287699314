import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithRedis } from '../../../backends/kv-oauth/storage/testing/describe-with-redis.js'
import {
  ask,
  startTestRedis,
  type TestRedis,
} from '../../../backends/kv-oauth/storage/testing/redis-server.js'
import { inspectConfig } from '../../config/config.js'
import { checkSessionStore } from './stores.js'

describeWithRedis('the session store', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startTestRedis()
    await ask(redis.port, 'config', 'set', 'appendonly', 'yes')
  })
  afterAll(() => redis.close())

  const found = async (url = redis.url): Promise<string[]> => {
    const env = { NETSCRIPT_AUTH_SESSION_STORE: url }
    const findings = await checkSessionStore({ env, ...inspectConfig(env, { production: false }) })
    return findings.map(({ status, message, fix = '' }) => `${status} ${message} ${fix}`)
  }

  it('follows Redis through an outage', async () => {
    expect(await found()).toEqual([expect.stringMatching(/^ok /)])
    await redis.stop()
    expect(await found()).toEqual([expect.stringMatching(/^fail .*: nothing listens there\./)])
    await redis.start()
    await ask(redis.port, 'config', 'set', 'appendonly', 'yes')
    expect(await found()).toEqual([expect.stringMatching(/^ok /)])
  })

  it('warns when Redis does not persist sessions', async () => {
    await ask(redis.port, 'config', 'set', 'appendonly', 'no')
    expect(await found()).toEqual([expect.stringMatching(/^warn Redis has appendonly off/)])
    await ask(redis.port, 'config', 'set', 'appendonly', 'yes')
    expect(await found()).toEqual([expect.stringMatching(/^ok /)])
  })

  it('requires a password, which is never shown', async () => {
    await ask(redis.port, 'acl', 'setuser', 'somebody', 'on', '>right', '+@all', '~*')
    const as = (password: string) => redis.url.replace('//', `//somebody:${password}@`)
    expect(await found(as('right'))).toEqual([expect.stringMatching(/^ok /)])
    const refused = await found(as('not-right'))
    expect(refused).toEqual([expect.stringMatching(/^fail .* Correct the user and the password/)])
    expect(refused.join()).not.toContain('not-right')
  })

  it('is not checked when absent or invalid, which the configuration reports', async () => {
    expect(await found('')).toEqual([])
    expect(await found('http://x')).toEqual([])
  })
})
