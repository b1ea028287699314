import assert from 'node:assert/strict'
import { API, type CaseDefinition, eachOf, postJson, readPairs } from '../target.js'

/** Headers in which proxies and frameworks pass on the user's identity. */
const IDENTITY_HEADERS = [
  'x-user-id',
  'x-userid',
  'x-session-id',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-auth-request-user',
  'x-auth-request-access-token',
  'x-remote-user',
  'remote-user',
  'x-webauth-user',
  'x-authenticated-userid',
  'x-amzn-oidc-identity',
  'x-goog-authenticated-user-id',
  'x-ms-client-principal-id',
  'x-subject',
]

const AUTHORIZATIONS = [
  'Bearer',
  'Bearer ',
  'Bearer null',
  'Bearer undefined',
  'bearer  x',
  'Bearer a.b.c',
  'Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxIiwic2lkIjoiMSJ9.',
  'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.AAAA',
  'Bearer %E0%A4%A',
  `Bearer ${'A'.repeat(8_000)}`,
  'Basic',
  'Basic =',
  'Basic YWRtaW46YWRtaW4=',
  'Basic Og==',
  'Digest username="admin"',
  'Negotiate TlRMTVNTUAAB',
  'DPoP a.b.c',
  '=',
  ',',
]

/** Identity comes from the credential and from nothing else in a request. */
export const identityAttacks: readonly CaseDefinition[] = [
  {
    name: 'an id in query, header or body is anonymous',
    async run({ send, target, person }) {
      const { userId, sessionId } = target.signIn
        ? await person()
        : { userId: 'u1', sessionId: 's1' }
      const ids = {
        userId,
        sessionId,
        id: sessionId,
        user: userId,
        sub: userId,
        session: sessionId,
      }
      const query = new URLSearchParams(ids).toString()
      for (const path of ['/me', '/session']) {
        const attempts = [
          await send(`${API}${path}?${query}`),
          await send(`${API}${path}?authenticated=true&state=active`),
          ...(await Promise.all(
            IDENTITY_HEADERS.flatMap((header) =>
              [userId, sessionId].map((id) => send(API + path, { headers: { [header]: id } })),
            ),
          )),
        ]
        for (const { status, text } of attempts) {
          assert.equal(status, 200)
          assert.equal(text, '{"authenticated":false}')
        }
      }
    },
  },
  {
    name: 'a body on a GET names no user',
    async run({ send, target, person }) {
      const { userId, sessionId } = target.signIn
        ? await person()
        : { userId: 'u1', sessionId: 's1' }
      const answer = await send(`${API}/me`, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ userId, sessionId, authenticated: true }),
      })
      assert.ok(answer.status >= 400 || answer.text === '{"authenticated":false}', answer.text)
    },
  },
  {
    name: 'a malformed Authorization is anonymous, not an error',
    async run({ send }) {
      await eachOf(AUTHORIZATIONS, async (authorization) => {
        for (const path of ['/me', '/session']) {
          const answer = await send(API + path, { headers: { authorization } })
          assert.equal(answer.status, 200, authorization.slice(0, 80))
          assert.equal(answer.text, '{"authenticated":false}')
        }
      })
    },
  },
  {
    name: 'the public session id is no credential',
    needs: ['session'],
    async run({ send, whoIs, person }) {
      const { sessionId, userId, credentials } = await person()
      for (const { name, value } of credentials) {
        const [head = '', ...rest] = value.split('.')
        for (const forged of [
          sessionId,
          `${sessionId}.${rest.join('.')}`,
          `${sessionId}.${sessionId}`,
          `${head}.${sessionId}`,
          userId,
        ]) {
          assert.equal(await whoIs(`${name}=${forged}`), undefined)
        }
      }
      for (const authorization of [`Bearer ${sessionId}`, `Bearer ${userId}`]) {
        const answer = await send(`${API}/me`, { headers: { authorization } })
        assert.equal(answer.text, '{"authenticated":false}')
      }
    },
  },
  {
    name: 'the session cookie works as a cookie only',
    needs: ['session'],
    async run({ send, person }) {
      const { credentials } = await person()
      for (const { name, value } of credentials) {
        const attempts = [
          send(`${API}/me?${name}=${encodeURIComponent(value)}`),
          send(`${API}/me`, { headers: { authorization: `Bearer ${value}` } }),
          send(`${API}/me`, { headers: { [name]: value } }),
          send(`${API}/me`, { headers: { 'x-session-token': value, cookie2: `${name}=${value}` } }),
        ]
        for (const { text } of await Promise.all(attempts)) {
          assert.equal(text, '{"authenticated":false}')
        }
      }
    },
  },
  {
    name: 'naming another user does not sign them out',
    needs: ['session'],
    async run(attack) {
      const { cookie, userId, sessionId, credentials } = await attack.person()
      const ids = { userId, sessionId, id: sessionId, sub: userId, user: { id: userId } }
      const forged = credentials.map(({ name }) => `${name}=${sessionId}`).join('; ')
      const route = `/signout?${new URLSearchParams({ sessionId })}`
      for (const headers of [{}, { cookie: forged }]) {
        for (const body of [{ ...ids }, { ...ids, everywhere: true }, { session: ids }]) {
          const answer = await postJson(attack, route, body, headers)
          assert.ok(answer.status < 500, answer.text)
        }
      }
      assert.equal(await attack.whoIs(cookie), userId)
    },
  },
  {
    name: 'no answer shows the credential or a part of it',
    needs: ['session'],
    async run({ send, person }) {
      const { cookie } = await person()
      const parts = readPairs(cookie).flatMap(({ value }) =>
        value.split(/[.*~]|%[0-9A-F]{2}/i).filter((part) => part.length >= 20),
      )
      const paths = [`${API}/me`, `${API}/session`, `${API}/describe`, `${API}/callback`, '/']
      for (const path of paths) {
        for (const accept of ['text/html', 'application/json']) {
          const { text } = await send(path, { headers: { cookie, accept } })
          for (const part of parts) assert.ok(!text.includes(part), `${path} shows the cookie`)
        }
      }
    },
  },
]

/** Attacks with an ended session. Each case needs its own sign-in. */
export const sessionEndAttacks: readonly CaseDefinition[] = [
  {
    name: 'a cookie kept after sign-out is anonymous',
    needs: ['session'],
    async run(attack) {
      const { cookie, userId } = await attack.anotherPerson()
      assert.equal(await attack.whoIs(cookie), userId)
      for (const _again of [false, true]) {
        const answer = await postJson(attack, '/signout', {}, { cookie })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(await attack.whoIs(cookie), undefined)
      }
    },
  },
]
