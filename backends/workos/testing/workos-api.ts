import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sealData } from 'iron-session'
import { type AccessTokenOptions, createTokenIssuer } from './access-tokens.js'
import { toSealedUser, toUserResponse, type WorkosPerson } from './person.js'

export interface SealOptions extends AccessTokenOptions {
  /** @default the cookie password of this API */
  password?: string
  accessToken?: string
  refreshToken?: string
  userAgent?: string
  /** `expires_at` in the list of sessions. @default one day after its creation */
  listedUntil?: string
}

/** A signed-in browser. */
export interface WorkosSignIn {
  /** The value of the `wos-session` cookie. */
  cookie: string
  accessToken: string
  refreshToken: string
  sessionId: string
}

interface Failure {
  status: number
  body: object
}

type Part = 'jwks' | 'authenticate' | 'sessions' | 'users'

interface StoredSession {
  id: string
  userId: string
  active: boolean
  createdAt: number
  listedUntil?: string | undefined
  userAgent: string | null
}

/** A fake WorkOS environment on loopback; see {@link startWorkosApi}. */
export interface WorkosApi {
  readonly url: string
  readonly clientId: string
  readonly apiKey: string
  readonly cookiePassword: string
  /** The issuer of its access tokens. */
  readonly issuer: string
  /** Number of calls to each part. */
  readonly calls: Record<Part | 'revoke', number>
  /** Opens a session and seals it as AuthKit does after a sign-in. */
  sealSession(person: WorkosPerson, options?: SealOptions): Promise<WorkosSignIn>
  accessToken(subject: string, options?: AccessTokenOptions): Promise<string>
  /** The public key, for tests of the attack that uses it as an HMAC secret. */
  publicKey(): CryptoKey
  /** Replaces the signing key. */
  rotateKeys(): Promise<void>
  isActive(sessionId: string): boolean
  /** Ends a session at WorkOS only. */
  endSession(sessionId: string): void
  /** Sets claims to add to refreshed tokens. */
  setRefreshedClaims(claims: Record<string, unknown>): void
  /** Makes a part respond with an error until {@link up}. */
  fail(part: Part | 'revoke', status: number, body: object): void
  /** Makes parts (default: all) close connections, or hang. */
  down(options?: { parts?: readonly Part[]; hang?: boolean }): void
  /** Runs `action` once before the next refresh responds. A returned failure is the response. */
  beforeNextRefresh(action: () => Promise<Failure | void>): void
  /** Reverts {@link down} and {@link fail}. */
  up(): void
  stop(): Promise<void>
}

/**
 * Starts a fake of the WorkOS API, the only dependency that tests cannot run for real: key set, token
 * endpoint, users and sessions, in the wire format of the SDK. Cookies are sealed with iron-session,
 * which has the same format as the SDK.
 */
export async function startWorkosApi(
  options: { clientId?: string; apiKey?: string; cookiePassword?: string; port?: number } = {},
): Promise<WorkosApi> {
  const clientId = options.clientId ?? 'client_01TEST'
  const apiKey = options.apiKey ?? 'sk_test_local'
  const cookiePassword = options.cookiePassword ?? 'a-cookie-password-of-32-characters-or-more'
  const people = new Map<string, WorkosPerson>()
  const sessions = new Map<string, StoredSession>()
  const refreshTokens = new Map<string, { sessionId: string; used: boolean }>()
  const failures = new Map<Part | 'revoke', Failure>()
  const calls = { jwks: 0, authenticate: 0, sessions: 0, users: 0, revoke: 0 }
  let broken: { parts: readonly Part[]; hang: boolean } = { parts: [], hang: false }
  let refreshedClaims: Record<string, unknown> = {}
  let ticks = 0
  let beforeRefresh: (() => Promise<Failure | void>) | undefined

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${url}/user_management/${clientId}`
  const tokens = await createTokenIssuer(issuer, clientId)

  function openSession(
    userId: string,
    { userAgent = null, listedUntil }: { userAgent?: string | null; listedUntil?: string } = {},
  ): StoredSession {
    const id = `session_${randomUUID().replaceAll('-', '')}`
    // Unique and increasing, so that the order is well defined.
    const createdAt = Date.now() + ticks++
    const session = { id, userId, active: true, createdAt, userAgent, listedUntil }
    sessions.set(id, session)
    return session
  }

  function issueRefreshToken(sessionId: string): string {
    const token = randomUUID()
    refreshTokens.set(token, { sessionId, used: false })
    return token
  }

  async function sealSession(person: WorkosPerson, seal: SealOptions = {}): Promise<WorkosSignIn> {
    people.set(person.id, person)
    const sessionId = seal.sessionId ?? openSession(person.id, seal).id
    const token = seal.accessToken ?? (await tokens.issue(person.id, { ...seal, sessionId }))
    const refreshToken = seal.refreshToken ?? issueRefreshToken(sessionId)
    const session = {
      organizationId: 'org_01TEST',
      user: toSealedUser(person),
      accessToken: token,
      refreshToken,
      authenticationMethod: 'GoogleOAuth',
    }
    const cookie = await sealData(session, { password: seal.password ?? cookiePassword, ttl: 0 })
    return { cookie, accessToken: token, refreshToken, sessionId }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const isRevoke = pathname === '/user_management/sessions/revoke'
    const part = partOf(pathname)
    if (!part) return send(response, 404, { code: 'not_found', message: 'Not found.' })
    calls[isRevoke ? 'revoke' : part] += 1
    if (broken.parts.includes(part)) {
      if (!broken.hang) response.destroy()
      return
    }
    const failure = failures.get(isRevoke ? 'revoke' : part)
    if (failure) return send(response, failure.status, failure.body)
    if (part === 'jwks') {
      const served = pathname === `/sso/jwks/${clientId}`
      return served ? send(response, 200, { keys: [tokens.jwk()] }) : send(response, 404, {})
    }
    const body = request.method === 'POST' ? await readJson(request) : {}
    if (part === 'authenticate') return authenticate(response, body)
    if (request.headers.authorization !== `Bearer ${apiKey}`) {
      return send(response, 401, { message: 'Unauthorized' })
    }
    if (isRevoke) return revoke(response, body)
    const userId = pathname.split('/')[3] ?? ''
    if (part === 'sessions') return list(response, userId, searchParams)
    return request.method === 'DELETE'
      ? deleteUser(response, userId)
      : showUsers(response, userId, searchParams)
  }

  async function authenticate(response: ServerResponse, body: Body): Promise<void> {
    const refuse = (error: string, description: string): void =>
      send(response, 400, { error, error_description: description })
    if (body.client_id !== clientId || body.client_secret !== apiKey) {
      return refuse('invalid_client', 'Invalid client ID.')
    }
    if (body.grant_type !== 'refresh_token') {
      return refuse('unsupported_grant_type', 'Only refresh_token here.')
    }
    const known = refreshTokens.get(body.refresh_token ?? '')
    if (known?.used) return refuse('invalid_grant', 'Refresh token already exchanged.')
    const session = sessions.get(known?.sessionId ?? '')
    const person = people.get(session?.userId ?? '')
    if (!known || !session?.active || !person) {
      return refuse('invalid_grant', 'Session has already ended.')
    }
    known.used = true
    const before = beforeRefresh
    beforeRefresh = undefined
    const failure = await before?.()
    if (failure) return send(response, failure.status, failure.body)
    return send(response, 200, {
      user: toUserResponse(person),
      organization_id: body.organization_id,
      access_token: await tokens.issue(person.id, {
        sessionId: session.id,
        claims: refreshedClaims,
      }),
      refresh_token: issueRefreshToken(session.id),
    })
  }

  function revoke(response: ServerResponse, body: Body): void {
    const session = sessions.get(body.session_id ?? '')
    if (!session?.active) {
      return send(response, 404, {
        code: 'entity_not_found',
        message: `Session not found: '${body.session_id}'.`,
      })
    }
    session.active = false
    response.writeHead(200).end()
  }

  function list(response: ServerResponse, userId: string, query: URLSearchParams): void {
    if (!people.has(userId)) {
      return send(response, 404, { code: 'entity_not_found', message: 'User not found.' })
    }
    const all = [...sessions.values()]
      .filter((session) => session.userId === userId)
      .sort((a, b) => b.createdAt - a.createdAt)
    const limit = Number(query.get('limit') ?? 10)
    const start = 1 + all.findIndex(({ id }) => id === query.get('after'))
    const page = all.slice(start, start + limit)
    const hasMore = start + limit < all.length
    return send(response, 200, {
      object: 'list',
      data: page.map((session) => ({
        object: 'session',
        id: session.id,
        user_id: session.userId,
        organization_id: 'org_01TEST',
        status: session.active ? 'active' : 'revoked',
        auth_method: 'oauth',
        ip_address: '127.0.0.1',
        user_agent: session.userAgent,
        expires_at: session.listedUntil ?? new Date(session.createdAt + 86_400_000).toISOString(),
        ended_at: session.active ? null : new Date().toISOString(),
        created_at: new Date(session.createdAt).toISOString(),
        updated_at: new Date(session.createdAt).toISOString(),
      })),
      list_metadata: { before: null, after: hasMore ? page.at(-1)?.id : null },
    })
  }

  function showUsers(response: ServerResponse, userId: string, query: URLSearchParams): void {
    if (userId !== '') {
      const person = people.get(userId)
      return person
        ? send(response, 200, toUserResponse(person))
        : send(response, 404, { code: 'entity_not_found', message: 'User not found.' })
    }
    const email = query.get('email')
    const all = [...people.values()]
      .map(toUserResponse)
      .filter((user) => email === null || user.email === email)
      .reverse()
    const start = 1 + all.findIndex(({ id }) => id === query.get('after'))
    const page = all.slice(start, start + Number(query.get('limit') ?? 10))
    const hasMore = start + page.length < all.length
    return send(response, 200, {
      object: 'list',
      data: page,
      list_metadata: { before: null, after: hasMore ? page.at(-1)?.id : null },
    })
  }

  function deleteUser(response: ServerResponse, userId: string): void {
    if (!people.delete(userId)) {
      return send(response, 404, { code: 'entity_not_found', message: 'User not found.' })
    }
    for (const session of sessions.values()) {
      if (session.userId === userId) session.active = false
    }
    response.writeHead(200).end()
  }

  return {
    url,
    clientId,
    apiKey,
    cookiePassword,
    issuer,
    calls,
    sealSession,
    accessToken: (subject, token) => tokens.issue(subject, token),
    publicKey: () => tokens.publicKey(),
    rotateKeys: () => tokens.rotateKeys(),
    isActive: (sessionId) => sessions.get(sessionId)?.active ?? false,
    endSession(sessionId) {
      const session = sessions.get(sessionId)
      if (session) session.active = false
    },
    setRefreshedClaims(claims) {
      refreshedClaims = claims
    },
    fail: (part, status, body) => void failures.set(part, { status, body }),
    down({ parts, hang = false } = {}) {
      broken = { parts: parts ?? ['jwks', 'authenticate', 'sessions', 'users'], hang }
    },
    beforeNextRefresh(action) {
      beforeRefresh = action
    },
    up() {
      broken = { parts: [], hang: false }
      failures.clear()
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

type Body = Partial<Record<string, string>>

function partOf(pathname: string): Part | undefined {
  if (pathname.startsWith('/sso/jwks/')) return 'jwks'
  if (pathname === '/user_management/authenticate') return 'authenticate'
  if (pathname === '/user_management/sessions/revoke') return 'sessions'
  if (/^\/user_management\/users\/[^/]+\/sessions$/.test(pathname)) return 'sessions'
  return /^\/user_management\/users(\/[^/]+)?$/.test(pathname) ? 'users' : undefined
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<Body> {
  let text = ''
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString()
  return JSON.parse(text) as Body
}
