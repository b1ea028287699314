import assert from 'node:assert/strict'
import { requestBytes } from '../raw-exchange.js'
import { API, type Attack, type CaseDefinition } from '../target.js'

/** Statuses with which the HTTP parser rejects a request before the service sees it. */
const REFUSED = [400, 413, 414, 431, 494]

/** Requests that are too large. */
export const sizeAttacks: readonly CaseDefinition[] = [
  {
    name: 'an oversize header is refused or read, and never an error',
    async run(attack) {
      for (const size of [4_000, 8_000, 15_000, 20_000, 100_000]) {
        for (const name of ['Cookie', 'X-Attack', 'Accept', 'Origin', 'User-Agent']) {
          const value = name === 'Cookie' ? `a=${'b'.repeat(size)}` : 'b'.repeat(size)
          const status = await get(attack, `${API}/me`, [`${name}: ${value}`])
          assert.ok(status === 200 || REFUSED.includes(status), `${name} of ${size}: ${status}`)
        }
      }
    },
  },
  {
    name: 'thousands of headers are refused or read',
    async run(attack) {
      const headers = Array.from({ length: 3_000 }, (_, index) => `h${index}: 1`)
      const status = await get(attack, `${API}/me`, headers)
      assert.ok(status === 200 || REFUSED.includes(status), `answered ${status}`)
    },
  },
  {
    name: 'an oversize address is refused or not found',
    async run(attack) {
      for (const path of [
        `${API}/${'a'.repeat(30_000)}`,
        `${API}/me?${'a'.repeat(30_000)}`,
        `/${'../'.repeat(3_000)}`,
        `${API}/callback?state=${'a'.repeat(10_000)}`,
        `${API}/callback?${'a&'.repeat(4_000)}state=x`,
      ]) {
        const status = await get(attack, path, [])
        const isClientError = [404, 422, 502].includes(status) || REFUSED.includes(status)
        assert.ok(isClientError, `${path.slice(0, 40)} answered ${status}`)
      }
    },
  },
  {
    name: 'a body over the limit is 413, announced or not',
    async run({ send, exchange, origin }) {
      const big = `{"x":"${'x'.repeat(20_000)}"}`
      const json = { 'content-type': 'application/json' }
      for (const route of ['/signin', '/signout']) {
        const { status } = await send(API + route, { method: 'POST', headers: json, body: big })
        assert.equal(status, 413)
      }
      const { host } = new URL(origin)
      const head = [`Host: ${host}`, 'Connection: close', 'Content-Type: application/json']
      const chunk = `1000\r\n${'1'.repeat(0x1000)}\r\n`
      for (const [headers, body] of [
        [['Content-Length: 1000000000'], '{'],
        [['Transfer-Encoding: chunked'], `${chunk.repeat(8)}0\r\n\r\n`],
      ] as const) {
        const { answers } = await exchange(
          requestBytes(`POST ${API}/signout HTTP/1.1`, [...head, ...headers], body),
        )
        assert.deepEqual(
          answers.map(({ status }) => status),
          [413],
        )
      }
    },
  },
  {
    name: 'the largest body that is allowed is read',
    async run({ send }) {
      const answer = await send(`${API}/signout`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"x":"${'x'.repeat(16_000)}"}`,
      })
      assert.equal(answer.status, 200)
    },
  },
]

async function get(
  { exchange, origin }: Attack,
  path: string,
  headers: readonly string[],
): Promise<number> {
  const { answers } = await exchange(
    requestBytes(`GET ${path} HTTP/1.1`, [
      `Host: ${new URL(origin).host}`,
      'Connection: close',
      ...headers,
    ]),
  )
  assert.ok(answers.length <= 1)
  // A server that closes the connection during a write may lose its own response.
  return answers[0]?.status ?? 431
}
