import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseKeyring } from '../../backends/keyring.js'
import { createPool } from '../../prisma/pool.js'
import { createPostgresProviderTokenStore } from '../../backends/kv-oauth/storage/postgres-provider-token-store.js'
import { completeLogin } from './support/oidc-login.js'
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './support/otlp-receiver.js'
import { startTestService } from './support/service.js'
import { me, SESSION_COOKIE } from './support/sign-in.js'
import { createUserAgent } from './support/user-agent.js'

const API = '/api/v1/auth'

/** A trace that the caller has begun. */
function begin(): { traceId: string; spanId: string; headers: { traceparent: string } } {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } }
}

describe('traces of a whole sign-in', () => {
  let receiver: OtlpReceiver
  const callers = { signin: begin(), callback: begin(), me: begin(), session: begin() }
  /** Values that must not appear in traces. */
  const secrets: Record<string, string> = {}
  let userId: string

  beforeAll(async () => {
    receiver = await startOtlpReceiver()
    const service = await startTestService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    const pool = createPool(service.databaseUrl)
    try {
      const agent = createUserAgent(service.origin)
      const started = await agent.post(`${API}/signin`, {}, callers.signin.headers)
      const { redirectUrl, state } = (await started.json()) as Record<string, string>
      const callbackUrl = await completeLogin(redirectUrl ?? '', { login: 'ada' })
      const [transaction = ''] = Object.values(await agent.cookies(`${API}/callback`))
      const callback = await agent.fetch(callbackUrl, { headers: callers.callback.headers })
      expect(callback.status).toBe(303)
      const cookie = (await agent.cookies('/'))[SESSION_COOKIE] ?? ''
      const { user, session } = await me(agent)
      await agent.fetch(`${API}/me`, { headers: callers.me.headers })
      await agent.fetch(`${API}/session?by=express`, { headers: callers.session.headers })
      const tokens = await createPostgresProviderTokenStore(pool, parseKeyring(service.key)).read(
        { id: session.id, providerId: 'local' },
        'local',
      )
      expect((await agent.post(`${API}/signout`)).status).toBe(200)
      const { accessToken, refreshToken, idToken } = tokens ?? {}
      userId = user.id
      Object.assign(secrets, {
        state,
        transaction,
        cookie,
        ...{ accessToken, refreshToken, idToken },
        code: new URL(callbackUrl).searchParams.get('code'),
        key: service.key,
        clientSecret: service.config.variables.NETSCRIPT_AUTH_CLIENT_SECRET,
        email: user.email,
        name: user.displayName,
        sessionId: session.id,
        userId,
      })
    } finally {
      await pool.end()
      // The last spans leave with the service.
      await service.close()
    }
  })
  afterAll(() => receiver.close())

  /** The spans of a trace as a tree: what each has below it. */
  function tree({ traceId, spanId }: ReturnType<typeof begin>): object {
    const ofTrace = receiver.spans.filter((span) => span.traceId === traceId)
    const below = (parent: string): Record<string, object> =>
      Object.fromEntries(
        ofTrace
          .filter((span) => span.parentSpanId === parent)
          .map((s) => [s.name, below(s.spanId)]),
      )
    return below(spanId)
  }

  const named = (name: string, { traceId }: ReturnType<typeof begin>): ReceivedSpan | undefined =>
    receiver.spans.find((span) => span.name === name && span.traceId === traceId)

  it('are of the service', () => {
    expect(receiver.resource).toMatchObject({ 'service.name': 'netscript-auth' })
  })

  it('hang below the span of the caller, with stores and provider below the route', () => {
    expect(tree(callers.signin)).toEqual({
      'auth.signin': { 'provider.request': {}, 'store.transaction.put': {} },
    })
    expect(tree(callers.callback)).toEqual({
      'auth.callback': {
        'store.transaction.take': {},
        'provider.request': {},
        'store.signIn.complete': {},
      },
    })
    expect(tree(callers.me)).toEqual({ 'auth.me': { 'store.session.get': {} } })
    expect(tree(callers.session)).toEqual({ 'auth.session': { 'store.session.get': {} } })
    // The sign-out arrived without a trace.
    const signout = receiver.spans.find((span) => span.name === 'auth.signout')
    expect(signout?.parentSpanId).toBe('')
    expect(receiver.spans).toContainEqual(
      expect.objectContaining({ name: 'store.session.revoke', traceId: signout?.traceId }),
    )
  })

  it('have the route and the outcome', () => {
    expect(named('auth.callback', callers.callback)?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 303,
      'auth.provider': 'local',
      'auth.subject': expect.stringMatching(/^[\w-]{43}$/),
    })
    const grant = receiver.spans.find((span) => 'oauth.grant_type' in span.attributes)
    expect(grant?.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'oauth.grant_type': 'authorization_code',
      'server.address': 'localhost',
    })
    // A user has the same pseudonym everywhere.
    const subjects = receiver.spans.flatMap((span) => span.attributes['auth.subject'] ?? [])
    expect(new Set(subjects).size).toBe(1)
  })

  it('contain nothing secret or personal', () => {
    const received = receiver.received()
    expect(Object.keys(secrets)).toContain('refreshToken')
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret, name).toMatch(/.{3}/)
      expect(received.includes(secret), name).toBe(false)
    }
  })
})

describe('traces', () => {
  it('cost nothing when their receiver is unreachable', async () => {
    const receiver = await startOtlpReceiver()
    await receiver.close()
    const service = await startTestService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    const agent = createUserAgent(service.origin)
    expect((await agent.fetch(`${API}/me`)).status).toBe(200)
    await service.close()
  })

  it('are not sent when OTEL_SDK_DISABLED says so', async () => {
    const receiver = await startOtlpReceiver()
    const service = await startTestService({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SDK_DISABLED: 'TRUE' },
    })
    await createUserAgent(service.origin).fetch(`${API}/me`)
    await service.close()
    expect(receiver.spans).toEqual([])
    await receiver.close()
  })
})
