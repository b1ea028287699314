import assert from 'node:assert/strict'
import { eachOf } from '../person.js'
import { API, type CaseDefinition } from '../target.js'

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
