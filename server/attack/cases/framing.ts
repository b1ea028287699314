import assert from 'node:assert/strict'
import { requestBytes } from '../exchange.js'
import { API, type Attack, type CaseDefinition, postJson, write } from '../target.js'

/** A request hidden in the body of another, which a server reads when it disagrees about the body's end. */
const HIDDEN = `GET ${API}/session HTTP/1.1\r\nHost: hidden\r\nX-Request-Id: hidden\r\n\r\n`

/** Ambiguous message framing (RFC 9112 sections 6.3 and 11.2). */
const AMBIGUOUS: Readonly<Record<string, { headers: readonly string[]; body: string }>> = {
  'both lengths': {
    headers: ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'both lengths, turned round': {
    headers: ['Transfer-Encoding: chunked', `Content-Length: ${HIDDEN.length + 5}`],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'two lengths': { headers: ['Content-Length: 0', 'Content-Length: 40'], body: HIDDEN },
  'two equal lengths': { headers: ['Content-Length: 2', 'Content-Length: 2'], body: `{}${HIDDEN}` },
  'a list of lengths': { headers: ['Content-Length: 2, 40'], body: `{}${HIDDEN}` },
  'a length with a sign': { headers: ['Content-Length: +2'], body: `{}${HIDDEN}` },
  'a negative length': { headers: ['Content-Length: -1'], body: HIDDEN },
  'a length in hexadecimal': { headers: ['Content-Length: 0x2'], body: `{}${HIDDEN}` },
  'a length with a space': { headers: ['Content-Length: 1 2'], body: `{}${HIDDEN}` },
  'a length that is too long': { headers: ['Content-Length: 18446744073709551618'], body: HIDDEN },
  'an unknown coding': { headers: ['Transfer-Encoding: xchunked'], body: `0\r\n\r\n${HIDDEN}` },
  'chunked twice': {
    headers: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'chunked, but not last': {
    headers: ['Transfer-Encoding: chunked, gzip'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a space before the colon': {
    headers: ['Transfer-Encoding : chunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a vertical tab before the coding': {
    headers: ['Transfer-Encoding: \x0bchunked'],
    body: `0\r\n\r\n${HIDDEN}`,
  },
  'a chunk size that is none': {
    headers: ['Transfer-Encoding: chunked'],
    body: `zz\r\n{}\r\n0\r\n\r\n${HIDDEN}`,
  },
  'a negative chunk size': {
    headers: ['Transfer-Encoding: chunked'],
    body: `-1\r\n${HIDDEN}`,
  },
  'a chunk longer than it says': {
    headers: ['Transfer-Encoding: chunked'],
    body: `1\r\n{}\r\n0\r\n\r\n${HIDDEN}`,
  },
  'chunk ends in a bare line feed': {
    headers: ['Transfer-Encoding: chunked'],
    body: `2\n{}\n0\n\n${HIDDEN}`,
  },
  'a NUL in a header': { headers: ['X-Attack: a\0b'], body: HIDDEN },
  'a carriage return in a header': { headers: ['X-Attack: a\rContent-Length: 40'], body: HIDDEN },
  'a header without a colon': { headers: ['X-Attack'], body: HIDDEN },
  'a header name with a space': { headers: ['X Attack: 1'], body: HIDDEN },
}

/** Request smuggling and pipelining. */
export const smugglingAttacks: readonly CaseDefinition[] = [
  {
    name: 'ambiguous framing is 400 and the end of the connection',
    async run(attack) {
      await Promise.all(
        Object.entries(AMBIGUOUS).map(async ([name, { headers, body }]) => {
          // Valid JSON, so that only the framing can be the reason for the rejection.
          const json = ['Content-Type: application/json', ...headers]
          const { answers, closed } = await post(attack, json, body)
          const statuses = answers.map(({ status }) => status)
          assert.equal(statuses.length, 1, `${name}: answered ${statuses.join(', ')}`)
          assert.ok([400, 501].includes(statuses[0] ?? 0), `${name}: answered ${statuses[0]}`)
          assert.ok(closed, `${name} left the connection open`)
        }),
      )
    },
  },
  {
    name: 'a malformed request line is 400',
    async run({ exchange, origin }) {
      const { host } = new URL(origin)
      await Promise.all(
        [
          `GET ${API}/me HTTP/9.9`,
          `GET ${API}/me HTTP/1.1 x`,
          `GET\t${API}/me\tHTTP/1.1`,
          `GET ${API}/m\0e HTTP/1.1`,
          `GET ${API}/me x HTTP/1.1`,
          `${API}/me`,
          'GET',
          '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
        ].map(async (line) => {
          const { answers, closed } = await exchange(requestBytes(line, [`Host: ${host}`], HIDDEN))
          assert.deepEqual(
            answers.map(({ status }) => (status === 505 ? 400 : status)),
            [400],
            JSON.stringify(line),
          )
          assert.ok(closed)
        }),
      )
    },
  },
  {
    name: 'a header folded over two lines does not split',
    async run(attack) {
      const folded = ['Cookie: a=b', '\tsession=1', 'Content-Length: 0']
      const { answers } = await post(attack, [...folded, 'Connection: close'], '')
      assert.equal(answers.length, 1)
      assert.ok([400, 403].includes(answers[0]?.status ?? 0))
    },
  },
  {
    name: 'a body that is refused is not read as a request',
    async run(attack) {
      const padding = `${HIDDEN}`.repeat(300)
      for (const headers of [
        ['Content-Type: application/json'],
        ['Content-Type: text/plain'],
        ['Content-Type: application/json', 'Origin: https://evil.example'],
      ]) {
        const { answers } = await post(
          attack,
          [...headers, `Content-Length: ${padding.length}`],
          `${padding}GET ${API}/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        )
        assert.ok(answers.length <= 2, `${answers.length} answers`)
        for (const { headers: got } of answers) {
          assert.notEqual(got.get('x-request-id'), 'hidden')
        }
      }
    },
  },
  {
    name: 'a body on a GET is not read as a request',
    async run({ exchange, origin }) {
      const { host } = new URL(origin)
      const length = `Content-Length: ${HIDDEN.length}`
      const { answers } = await exchange(
        requestBytes(
          `GET ${API}/me HTTP/1.1`,
          [`Host: ${host}`, length],
          `${HIDDEN}GET ${API}/me HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        ),
      )
      assert.ok(answers.length >= 1 && answers.length <= 2)
      for (const { headers } of answers) assert.notEqual(headers.get('x-request-id'), 'hidden')
    },
  },
  {
    name: 'pipelined requests are answered in order, each its own',
    async run({ exchange, origin, target, person }) {
      const somebody = target.signIn ? await person() : undefined
      const { host } = new URL(origin)
      const requests = Array.from({ length: 12 }, (_, index) => {
        const isSomebody = somebody !== undefined && index % 3 === 0
        return requestBytes(`GET ${API}/me HTTP/1.1`, [
          `Host: ${host}`,
          `X-Request-Id: pipelined-${index}`,
          ...(isSomebody ? [`Cookie: ${somebody.cookie}`] : []),
          ...(index === 11 ? ['Connection: close'] : []),
        ])
      })
      const { answers } = await exchange(Buffer.concat(requests))
      assert.deepEqual(
        answers.map(({ headers }) => headers.get('x-request-id')),
        requests.map((_, index) => `pipelined-${index}`),
      )
      for (const [index, { body }] of answers.entries()) {
        const isSomebody = somebody !== undefined && index % 3 === 0
        assert.equal(body.includes('"authenticated":true'), isSomebody, `answer ${index}`)
      }
    },
  },
]

function post(
  { exchange, origin }: Attack,
  headers: readonly string[],
  body: string,
): ReturnType<Attack['exchange']> {
  return exchange(
    requestBytes(
      `POST ${API}/signout HTTP/1.1`,
      [`Host: ${new URL(origin).host}`, ...headers],
      body,
    ),
  )
}

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
    async run(attack) {
      const big = { x: 'x'.repeat(20_000) }
      for (const route of ['/signin', '/signout']) {
        assert.equal((await postJson(attack, route, big)).status, 413)
      }
      const chunk = `1000\r\n${'1'.repeat(0x1000)}\r\n`
      for (const [headers, body] of [
        [['Content-Length: 1000000000'], '{'],
        [['Transfer-Encoding: chunked'], `${chunk.repeat(8)}0\r\n\r\n`],
      ] as const) {
        const lines = ['Content-Type: application/json', ...headers]
        const { answers } = await write(attack, `POST ${API}/signout HTTP/1.1`, lines, body)
        assert.deepEqual(
          answers.map(({ status }) => status),
          [413],
        )
      }
    },
  },
  {
    name: 'the largest body that is allowed is read',
    async run(attack) {
      const { status } = await postJson(attack, '/signout', { x: 'x'.repeat(16_000) })
      assert.equal(status, 200)
    },
  },
]

async function get(attack: Attack, path: string, headers: readonly string[]): Promise<number> {
  const { answers } = await write(attack, `GET ${path} HTTP/1.1`, headers)
  assert.ok(answers.length <= 1)
  // A server that closes the connection during a write may lose its own response.
  return answers[0]?.status ?? 431
}
