import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePort } from '../local/loopback.js'
import { completeLogin } from './support/oidc-login.js'
import { startTestService, type TestService } from './support/service.js'
import { me, SESSION_COOKIE, signIn, startSignIn } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'

describe('metrics', () => {
  let service: TestService
  let metrics: string
  beforeAll(async () => {
    const port = await freePort()
    metrics = `http://127.0.0.1:${port}`
    const NETSCRIPT_AUTH_METRICS_PORT = String(port)
    service = await startTestService({
      env: { NETSCRIPT_AUTH_METRICS_PORT, NETSCRIPT_AUTH_RATE_LIMIT: '10' },
    })
  })
  afterAll(() => service.close())

  const page = async (): Promise<string> => (await fetch(`${metrics}/metrics`)).text()

  /** The value of a series, which is written as the page writes it. */
  async function value(series: string): Promise<number | undefined> {
    const line = (await page()).split('\n').find((one) => one.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }

  /** A response is counted after it was sent, slightly after the caller received it. */
  const expectValue = (series: string, expected: unknown): Promise<void> =>
    vi.waitFor(async () => expect(await value(series)).toEqual(expected), { timeout: 5_000 })

  it('are on a separate address that serves nothing else', async () => {
    expect((await fetch(`${service.origin}/metrics`)).status).toBe(404)
    expect((await fetch(`${metrics}/api/v1/auth/me`)).status).toBe(404)
    expect((await fetch(`${metrics}/metrics`, { method: 'POST' })).status).toBe(404)
    const answer = await fetch(`${metrics}/metrics`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  it('count sign-ins, sessions, store calls and answers, ahead of Express and in it', async () => {
    const agent = createUserAgent(service.origin)
    expect((await signIn(agent)).status).toBe(303)
    expect((await me(agent)).authenticated).toBe(true)
    await agent.fetch(`${API}/session?by=express`)
    const declined = await startSignIn(agent)
    await agent.fetch(await completeLogin(declined.redirectUrl, { login: 'ada', deny: true }))
    await agent.fetch(`${API}/callback?code=a&state=b`, { headers: { accept: 'application/json' } })
    expect((await signIn(agent)).status).toBe(303)
    const { metricsUrl = '' } = await service.startAnother({ NETSCRIPT_AUTH_METRICS_PORT: '0' })
    expect(await (await fetch(metricsUrl)).text()).toMatch(/^netscript_auth_active_sessions 1$/m)
    expect((await agent.post(`${API}/signout`)).status).toBe(200)

    const signIns = 'netscript_auth_sign_ins_total{provider='
    await expectValue(`${signIns}"local",outcome="started",code=""}`, 3)
    await expectValue(`${signIns}"local",outcome="completed",code=""}`, 2)
    await expectValue(`${signIns}"local",outcome="failed",code="AUTH_ACCESS_DENIED"}`, 1)
    await expectValue(`${signIns}"unknown",outcome="failed",code="AUTH_TRANSACTION_MISSING"}`, 1)
    await expectValue('netscript_auth_sessions_ended_total{reason="replaced-by-sign-in"}', 1)
    await expectValue('netscript_auth_sessions_ended_total{reason="signed-out"}', 1)

    const answered = (labels: string) => `netscript_auth_http_requests_total{${labels}}`
    await expectValue(answered('method="GET",route="me",status="200"'), 1)
    await expectValue(answered('method="GET",route="session",status="200"'), 1)
    await expectValue(answered('method="POST",route="signin",status="200"'), 3)
    await expectValue(answered('method="POST",route="signout",status="200"'), 1)
    const took = 'netscript_auth_http_request_duration_seconds_count'
    await expectValue(`${took}{method="GET",route="me",status="200"}`, 1)

    const calls = 'netscript_auth_store_call_duration_seconds_count{operation='
    await expectValue(`${calls}"signIn.complete"}`, 2)
    await expectValue(`${calls}"transaction.take"}`, 3)
    expect(await value(`${calls}"session.get"}`)).toBeGreaterThan(0)
    expect(await value('netscript_auth_read_batch_size_sum')).toBeGreaterThan(0)
    expect(await value('netscript_auth_pool_connections')).toBeGreaterThan(0)
    await expectValue('netscript_auth_pool_waiting_queries', 0)
    expect(await value('process_cpu_seconds_total')).toBeGreaterThan(0)
  })

  it('count requests that exceed a limit', async () => {
    const statuses = []
    for (let call = 0; call < 12; call += 1) {
      statuses.push((await createUserAgent(service.origin).post(`${API}/signin`)).status)
    }
    const refused = statuses.filter((status) => status === 429).length
    expect(refused).toBeGreaterThan(1)
    // The host name of the test leads to IPv4 or IPv6, whichever comes first.
    const limited = (prefix: number) =>
      value(`netscript_auth_rate_limited_total{route="signin",prefix="${prefix}"}`)
    expect([await limited(32), await limited(64)]).toContain(refused)
  })

  it('have few labels, and nothing secret or personal, whatever callers request', async () => {
    const agent = createUserAgent(service.origin)
    const before = (await page()).split('\n').length
    for (let one = 0; one < 40; one += 1) {
      await agent.fetch(`/marker-${one}`)
      await agent.fetch(`${API}/marker-${one}`)
      await agent.fetch(`${API}/sessions/marker-${one}`, { method: 'DELETE' })
      await fetch(`${service.origin}${API}/me?marker-${one}`, {
        headers: { cookie: `${SESSION_COOKIE}=marker-${one}`, 'x-request-id': `marker-${one}` },
      })
    }
    await expectValue(
      'netscript_auth_http_requests_total{method="GET",route="none",status="404"}',
      81,
    )
    const text = await page()
    expect(text.split('\n').length - before).toBeLessThan(100)
    expect(text).not.toContain('marker')
    expect(text).not.toContain(service.key)
    expect(text).not.toMatch(/@|\bada\b/i)
  })
})
