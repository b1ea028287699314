import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/loopback.js'
import { completeLogin } from './support/oidc-login.js'
import { type NetscriptProcess, startNode } from './support/process.js'
import { startTestService, type TestService } from './support/service.js'
import { me, signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent, type UserAgent } from './support/user-agent.js'

/** The last commit of 0.1.0, and the repository that has it. */
const RELEASE = '344afa0'
const ROOT = new URL('../../', import.meta.url).pathname

const hasRelease =
  spawnSync('git', ['cat-file', '-e', `${RELEASE}^{commit}`], { cwd: ROOT }).status === 0

/** 0.1.0 from its sources, with the dependencies of its lock file. */
async function checkOutRelease(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'netscript-0.1.0-'))
  // Not synchronous: Vitest gives up a worker that does not answer for a minute.
  const run = (command: string, args: string[], cwd: string) =>
    promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 28 })
  const sources = join(directory, 'sources.tar')
  await run('git', ['archive', '--output', sources, RELEASE], ROOT)
  await run('tar', ['xf', sources], directory)
  await run(
    'npm',
    ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'],
    directory,
  )
  await run('npm', ['run', 'generate'], directory)
  return directory
}

describe.skipIf(!hasRelease)('processes of 0.1.0 and of this version on one database', () => {
  let release: string
  let service: TestService
  let old: NetscriptProcess
  let oldUrl: string
  beforeAll(async () => {
    release = await checkOutRelease()
    service = await startTestService()
    const port = await freePort()
    oldUrl = `http://localhost:${port}`
    const { variables } = service.config
    const given = [
      ...['NETSCRIPT_AUTH_PROVIDER_ID', 'NETSCRIPT_AUTH_ISSUER', 'NETSCRIPT_AUTH_CLIENT_ID'],
      ...['NETSCRIPT_AUTH_CLIENT_SECRET', 'NETSCRIPT_AUTH_REDIRECT_URI'],
    ] as const
    old = startNode(
      ['--import', 'tsx', 'server/cli/main.ts', 'start'],
      {
        ...Object.fromEntries(given.map((name) => [name, variables[name] ?? ''])),
        PORT: String(port),
        DATABASE_URL: service.databaseUrl,
        NETSCRIPT_AUTH_KV_OAUTH_KEY: service.key,
        NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
      },
      { cwd: release },
    )
    await vi.waitFor(async () => expect((await fetch(`${oldUrl}/health/ready`)).status).toBe(200), {
      timeout: 120_000,
      interval: 500,
    })
  })
  afterAll(async () => {
    await old?.end('SIGKILL')
    await service?.close()
    if (release) rmSync(release, { recursive: true, force: true })
  })

  const newAgent = (): UserAgent => createUserAgent(service.origin)
  const cookieOf = (agent: UserAgent): Promise<string> =>
    agent.jar.getCookieString(service.origin.replace('http:', 'https:'))
  /** What the old process says of the browser. */
  const atOld = async (
    agent: UserAgent,
    path: string,
    init: RequestInit = {},
  ): Promise<Response> => {
    const headers = { cookie: await cookieOf(agent), 'content-type': 'application/json' }
    const response = await fetch(oldUrl + path, { redirect: 'manual', ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      await agent.jar.setCookie(line, service.origin.replace('http:', 'https:'))
    }
    return response
  }
  const meAtOld = async (agent: UserAgent) =>
    (await (await atOld(agent, '/api/v1/auth/me')).json()) as { authenticated: boolean }

  it('read and end the sessions of each other', async () => {
    const agent = newAgent()
    await signIn(agent)
    expect(await meAtOld(agent)).toMatchObject({ authenticated: true, session: { subject: 'ada' } })
    expect(
      (await atOld(agent, '/api/v1/auth/signout', { method: 'POST', body: '{}' })).status,
    ).toBe(200)
    expect(await me(agent)).toEqual({ authenticated: false })
  })

  it('complete the sign-ins of each other', async () => {
    const [began, completes] = [newAgent(), newAgent()]
    const { redirectUrl } = await startSignIn(began)
    const callback = new URL(await completeLogin(redirectUrl, { login: 'grace' }))
    expect((await atOld(began, callback.pathname + callback.search)).status).toBe(303)
    expect(await me(began)).toMatchObject({ authenticated: true, session: { subject: 'grace' } })

    const signin = await atOld(completes, '/api/v1/auth/signin', { method: 'POST', body: '{}' })
    const started = (await signin.json()) as { redirectUrl: string }
    const back = await completes.fetch(await completeLogin(started.redirectUrl, { login: 'ada' }))
    expect(back.status).toBe(303)
    expect(await meAtOld(completes)).toMatchObject({ session: { subject: 'ada' } })
    expect(await me(completes)).toMatchObject({ session: { subject: 'ada' } })
    await completes.post('/api/v1/auth/signout', { everywhere: true })
    expect(await meAtOld(completes)).toEqual({ authenticated: false })
  })
})
