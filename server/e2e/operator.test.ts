import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type NetscriptProcess, startNetscript } from './support/process.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn, startSignIn } from './support/sign-in.js'
import { completeLogin } from './support/oidc-login.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

describe('netscript auth', () => {
  let service: TestService
  const running: NetscriptProcess[] = []
  beforeAll(async () => {
    service = await startTestService()
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
  })
  afterAll(() => service.close())

  const netscript = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const started = startNetscript(['auth', ...args], { DATABASE_URL: service.databaseUrl })
    running.push(started)
    return { code: await started.ended, text: started.output().trim() }
  }
  const signedIn = async (login: string): Promise<UserAgent> => {
    const agent = createUserAgent(service.origin)
    await signIn(agent, login)
    return agent
  }

  it('lists and ends the sessions of a user, at once and of nobody else', async () => {
    const [one, two, other] = [
      await signedIn('ada'),
      await signedIn('ada'),
      await signedIn('grace'),
    ]
    const { user, session } = await me(one)
    const listed = await netscript('session', 'list', user.id, '--json')
    expect((JSON.parse(listed.text) as { id: string }[]).map(({ id }) => id)).toContain(session.id)
    expect(await netscript('session', 'revoke', session.id)).toEqual({ code: 0, text: 'Ended.' })
    expect(await netscript('session', 'revoke', session.id)).toMatchObject({ code: 1 })
    expect((await me(one)).authenticated).toBe(false)
    const all = await netscript('session', 'revoke-all', user.id)
    expect(all).toEqual({ code: 0, text: 'Ended 1 session.' })
    expect((await me(two)).authenticated).toBe(false)
    expect((await me(other)).authenticated).toBe(true)
  })

  it('disables a user: no session, no sign-in, until they are enabled again', async () => {
    const agent = await signedIn('grace')
    const { id } = (await me(agent)).user
    expect((await netscript('user', 'disable', id)).text).toBe('Disabled; all sessions are ended.')
    expect((await me(agent)).authenticated).toBe(false)
    const { redirectUrl } = await startSignIn(agent)
    const refused = await agent.fetch(await completeLogin(redirectUrl, { login: 'grace' }))
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'AUTH_USER_DISABLED' })
    expect((await netscript('user', 'enable', id)).code).toBe(0)
    expect((await me(await signedIn('grace'))).user.id).toBe(id)
  })

  it('deletes a user; the next sign-in makes a new one', async () => {
    const agent = await signedIn('katherine')
    const { id } = (await me(agent)).user
    expect((await netscript('user', 'delete', id)).code).toBe(0)
    expect((await me(agent)).authenticated).toBe(false)
    expect((await me(await signedIn('katherine'))).user.id).not.toBe(id)
    expect(await netscript('user', 'delete', id)).toEqual({
      code: 1,
      text: 'There is no such user.',
    })
  })

  it('generates secrets that the service takes', async () => {
    const { text } = await netscript('secret', 'generate')
    expect(text).toMatch(/^[\w-]{43}$/)
    expect((await netscript('secret', 'generate', 'better-auth')).text).toHaveLength(64)
    expect(await netscript('secret', 'generate', 'soup')).toMatchObject({
      code: 1,
      text: expect.stringContaining('Use one of: kv-oauth-key') as string,
    })
  })
})
