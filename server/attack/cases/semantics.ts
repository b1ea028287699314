import assert from 'node:assert/strict'
import {
  accountContractV1,
  authContractV1,
  forwardAuthContractV1,
  protocolContractV1,
  serviceContractV1,
} from '@netscript/auth-contract'
import { API, type CaseDefinition, eachOf, write } from '../target.js'

const METHODS = new Map<string, string[]>()
for (const { path, method } of Object.values({
  ...authContractV1,
  ...accountContractV1,
  ...serviceContractV1,
  ...forwardAuthContractV1,
  ...protocolContractV1,
})) {
  const methods = METHODS.get(path) ?? []
  METHODS.set(path, [...methods, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])])
}

const OTHERS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'SEARCH', 'LOCK']

const OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override', '_method']

/** Method confusion. */
export const methodAttacks: readonly CaseDefinition[] = [
  {
    name: 'a method that is not declared is 405, with Allow',
    async run({ send }) {
      await eachOf(METHODS, async ([template, declared]) => {
        const path = template.replace(/:\w+/g, 'x')
        for (const method of OTHERS.filter((other) => !declared.includes(other))) {
          const answer = await send(path, { method })
          assert.equal(answer.status, 405, `${method} ${path}`)
          const allowed = answer.headers.allow?.split(/\s*,\s*/)
          assert.deepEqual(new Set(allowed), new Set(declared), `${method} ${path}`)
        }
      })
    },
  },
  {
    name: 'a form_post to the callback changes nothing',
    async run({ send, origin }) {
      const answer = await send(`${API}/callback`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
        body: 'code=x&state=y',
      })
      assert.equal(answer.status, 405)
      assert.deepEqual(answer.setCookies, [])
    },
  },
  {
    name: 'no header, query or field overrides the method',
    async run({ send, origin }) {
      for (const override of OVERRIDES) {
        const asPost = await send(`${API}/signout?${override}=POST`, {
          headers: { [override]: 'POST', origin },
        })
        assert.equal(asPost.status, 405, override)
        const asGet = await send(`${API}/me?${override}=GET`, {
          method: 'POST',
          headers: {
            [override]: 'GET',
            origin,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: `${override}=GET`,
        })
        assert.equal(asGet.status, 405, override)
      }
    },
  },
  {
    name: 'TRACE and OPTIONS echo nothing',
    async run({ send }) {
      for (const method of ['TRACE', 'OPTIONS']) {
        const headers = { cookie: 'secret=echo-of-a-cookie', 'x-echo': 'echo-of-a-header' }
        const answer = await send(`${API}/me`, { method, headers })
        assert.ok(!answer.text.includes('echo-of'), method)
        assert.ok(!JSON.stringify(answer.headers).includes('echo-of'), method)
      }
    },
  },
  {
    name: 'GET and HEAD of a state-changing route change nothing',
    needs: ['session'],
    async run({ send, person, whoIs }) {
      const { cookie, userId } = await person()
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const path of ['/signout', '/signout?everywhere=true', '/logout?ticket=x']) {
          const answer = await send(API + path, { method, headers: { cookie } })
          assert.deepEqual(answer.setCookies, [], `${method} ${path}`)
        }
      }
      assert.equal(await whoIs(cookie), userId)
    },
  },
  {
    name: 'methods in lower case or of another protocol are refused',
    async run(attack) {
      for (const method of ['post', 'GeT', 'PRI', 'HELLO', '']) {
        const { answers } = await write(attack, `${method} ${API}/signout HTTP/1.1`)
        for (const { status } of answers) assert.ok(status >= 400 && status < 500, method)
      }
    },
  },
]

const READS = ['/me', '/session', '/describe']
const ANY = ['/nothing', '/callback', '/callback?state=x', '/logout', '/logged-out', '/signin', '/']

/** Headers that every response must have, whatever headers the request has. */
export const headerAttacks: readonly CaseDefinition[] = [
  {
    name: 'every answer is private and guarded, errors too',
    async run({ send }) {
      // `send` checks every response under the prefix.
      await eachOf([...READS, ...ANY], async (path) => {
        for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) await send(API + path, { method })
      })
    },
  },
  {
    name: 'user data is never served as 304 or as a partial response',
    async run({ send }) {
      for (const headers of [
        { 'if-none-match': '*' },
        { 'if-none-match': '"x", W/"y"' },
        { 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' },
        { range: 'bytes=0-1' },
        { 'cache-control': 'only-if-cached' },
      ]) {
        const answer = await send(`${API}/me`, { headers })
        assert.equal(answer.status, 200, JSON.stringify(headers))
        assert.ok(answer.text.startsWith('{"authenticated":'), answer.text)
      }
    },
  },
  {
    name: 'HEAD is GET without a body',
    async run({ send }) {
      for (const path of READS) {
        const answer = await send(API + path, { method: 'HEAD' })
        assert.equal(answer.status, 200)
        assert.equal(answer.text, '')
      }
    },
  },
  {
    name: 'odd Accept headers get an answer of a declared kind',
    async run({ send }) {
      const accepts = [
        'text/html;q=0',
        '*/*;q=x',
        ';;;',
        'text/html;q=0.1, application/json;q=0.05',
        'application/json\t,\t,',
        'image/avif',
        'a/b, '.repeat(500),
        '__proto__/constructor',
        '\u00e9/\u00e9',
      ]
      await eachOf(accepts, async (accept) => {
        const me = await send(`${API}/me`, { headers: { accept } })
        assert.equal(me.status, 200)
        const lost = await send(`${API}/callback?state=x`, { headers: { accept } })
        assert.ok([400, 502].includes(lost.status))
        assert.match(
          lost.headers['content-type'] ?? '',
          /^(?:text\/html|application\/problem\+json)(?:;|$)/,
        )
      })
    },
  },
  {
    name: 'an API response is never a page, an unknown address in a browser is one',
    async run({ send }) {
      for (const path of ['/me', '/session', '/describe']) {
        const answer = await send(API + path, { headers: { accept: 'text/html' } })
        assert.match(answer.headers['content-type'] ?? '', /json/)
      }
      const unknown = await send(`${API}/nothing`, { headers: { accept: 'text/html' } })
      assert.equal(unknown.status, 404)
      assert.match(unknown.headers['content-type'] ?? '', /^text\/html/)
    },
  },
  {
    name: 'Expect, Upgrade, TE and Connection change nothing',
    async run({ send }) {
      for (const headers of [
        { upgrade: 'h2c', connection: 'Upgrade, HTTP2-Settings', 'http2-settings': 'AAMAAABkAAQ' },
        { te: 'trailers, deflate;q=0.5' },
        { 'proxy-connection': 'keep-alive' },
        { 'accept-encoding': 'gzip;q=1.0, *;q=0, br' },
      ]) {
        assert.equal((await send(`${API}/me`, { headers })).status, 200)
      }
    },
  },
]
