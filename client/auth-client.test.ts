import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { AUTH_ERRORS, problemType } from '../contract/errors.js'
import type { AuthSession, AuthUser } from '../contract/session.js'
import { createAuthClient } from './auth-client.js'
import { AuthClientError } from './error.js'

let server: Server | undefined
afterEach(() => new Promise<void>((done) => (server ? server.close(() => done()) : done())))

/** A server that answers every request in one way and remembers what it was asked. */
async function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: { method?: string | undefined; url?: string | undefined; body: string }[] = []
  server = createServer((req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      asked.push({ method: req.method, url: req.url, body: text })
      res.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers })
      res.end(body)
    })
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}`, asked }
}

describe('createAuthClient', () => {
  it('answers the body of a success', async () => {
    const { baseUrl, asked } = await answering(200, '{"authenticated":false}')
    const auth = createAuthClient({ baseUrl: `${baseUrl}//` })
    expect(await auth.me()).toEqual({ authenticated: false })
    expect(await auth.session()).toEqual({ authenticated: false })
    expect(asked.map(({ url }) => url)).toEqual(['/api/v1/auth/me', '/api/v1/auth/session'])
  })

  it('sends inputs as JSON and goes where the answer says', async () => {
    const redirectUrl = 'https://provider.example/auth'
    const started = { started: true, providerId: 'local', redirectUrl, state: 'state' }
    const { baseUrl, asked } = await answering(200, JSON.stringify(started))
    const visited: string[] = []
    const auth = createAuthClient({ baseUrl, navigate: (url) => visited.push(url) })
    await auth.signIn({ redirectTo: '/home', scopes: ['openid'] })
    expect(visited).toEqual([redirectUrl])
    expect(asked[0]).toEqual({
      method: 'POST',
      url: '/api/v1/auth/signin',
      body: '{"redirectTo":"/home","scopes":["openid"]}',
    })
  })

  it.each([
    [{ signedOut: true }, []],
    [{ signedOut: true, redirectTo: 'https://a.example/' }, ['https://a.example/']],
    [
      { signedOut: true, redirectTo: 'https://a.example/', logoutUrl: 'https://b.example/' },
      ['https://b.example/'],
    ],
  ])('leaves after signing out: %j', async (body, expected) => {
    const { baseUrl } = await answering(200, JSON.stringify(body))
    const visited: string[] = []
    await createAuthClient({ baseUrl, navigate: (url) => visited.push(url) }).signOut()
    expect(visited).toEqual(expected)
  })

  it('throws problems with their code, status, data and request id', async () => {
    const { status, title } = AUTH_ERRORS.VALIDATION_ERROR
    const data = { formErrors: [], fieldErrors: { providerId: ['unknown'] } }
    const problem = {
      type: problemType('VALIDATION_ERROR'),
      title,
      status,
      detail: 'Correct providerId.',
      code: 'VALIDATION_ERROR',
      data,
    }
    const { baseUrl } = await answering(422, JSON.stringify(problem), {
      'x-request-id': 'id-1',
      'content-type': 'application/problem+json',
    })
    const error = await createAuthClient({ baseUrl })
      .signin()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AuthClientError)
    expect(error).toMatchObject({
      code: 'VALIDATION_ERROR',
      status: 422,
      message: 'Correct providerId.',
      data,
      requestId: 'id-1',
    })
  })

  it.each([
    [200, '{"authenticated":true}', 'UNEXPECTED_RESPONSE'],
    [200, '<html>', 'UNEXPECTED_RESPONSE'],
    [204, '', 'UNEXPECTED_RESPONSE'],
    [502, '{"message":"bad gateway"}', 'UNEXPECTED_RESPONSE'],
  ])('throws for an answer outside the contract: %i %s', async (status, body, code) => {
    const { baseUrl } = await answering(status, body)
    await expect(createAuthClient({ baseUrl }).me()).rejects.toMatchObject({ code, status })
  })

  it('throws when nobody answers, and when it is told to stop', async () => {
    const auth = createAuthClient({ baseUrl: 'http://127.0.0.1:1' })
    await expect(auth.me()).rejects.toMatchObject({ code: 'NETWORK_ERROR', status: 0 })
    const signal = AbortSignal.abort()
    await expect(auth.me({ signal })).rejects.toMatchObject({ code: 'NETWORK_ERROR' })
  })

  it('is typed', () => {
    const auth = createAuthClient()
    type Me = Awaited<ReturnType<typeof auth.me>>
    expectTypeOf<Extract<Me, { authenticated: true }>>().toEqualTypeOf<{
      authenticated: true
      user: AuthUser
      session: AuthSession
    }>()
    // @ts-expect-error a provider id is text
    void (() => auth.signin({ providerId: 1 }))
  })
})
