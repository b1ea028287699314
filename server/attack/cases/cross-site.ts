import assert from 'node:assert/strict'
import { API, type Attack, type CaseDefinition, eachOf, EVIL, FORM_TYPE, write } from '../target.js'

/** Origins that a foreign page may have. */
function foreignOrigins(origin: string): string[] {
  const { protocol, hostname, host, port } = new URL(origin)
  const otherProtocol = protocol === 'https:' ? 'http:' : 'https:'
  return [
    `https://${EVIL}`,
    `http://${EVIL}`,
    `${origin}.${EVIL}`,
    `${origin}@${EVIL}`,
    `${origin}/`,
    `${origin} `.padEnd(origin.length + 2, 'x'),
    `${otherProtocol}//${host}`,
    `${protocol}//${hostname}:${port === '1' ? 2 : 1}`,
    `${protocol}//${EVIL}.${host}`,
    `${protocol}//x.${host}`,
    origin.toUpperCase(),
    `${origin}, https://${EVIL}`,
    `https://${EVIL} ${origin}`,
    'file://',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'about:blank',
    'NULL',
    'undefined',
    '*',
  ]
}

type Headers = Record<string, string>

/** Bodies that a cross-site page can send without a preflight. */
const SIMPLE_BODIES: readonly { type: string; body: string }[] = [
  { type: FORM_TYPE, body: 'redirectTo=/' },
  { type: 'text/plain', body: '{"redirectTo":"/"}' },
  { type: 'text/plain;charset=UTF-8', body: '{"redirectTo":"/","x":"=\r\n"}' },
  { type: 'text/plain; application/json', body: '{}' },
  { type: 'text/plain;x=application/json', body: '{}' },
  { type: 'multipart/form-data; boundary=x', body: '--x--' },
  { type: `${FORM_TYPE}; charset=utf-8; x=application/json`, body: 'everywhere=true' },
]

/** Headers with which a browser marks a cross-site request. */
const CROSS_SITE_SIGNS: readonly Headers[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' },
  { 'sec-fetch-site': 'same-origin, cross-site' },
  { 'sec-fetch-site': 'SAME-ORIGIN' },
  { 'sec-fetch-site': '' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
]

/** Cross-site request forgery. */
export const crossSiteAttacks: readonly CaseDefinition[] = [
  {
    name: 'another origin is refused, whatever it sends',
    async run(attack) {
      await everyRoute(attack, async (post) => {
        for (const foreign of foreignOrigins(attack.origin)) {
          for (const type of [FORM_TYPE, 'application/json', 'text/plain']) {
            await post({ origin: foreign, 'content-type': type }, '{}')
            await post(
              { origin: foreign, 'content-type': type, 'sec-fetch-site': 'same-origin' },
              '{}',
            )
          }
        }
      })
    },
  },
  {
    name: 'Sec-Fetch-Site of another site is refused, JSON too',
    async run(attack) {
      await everyRoute(attack, async (post) => {
        for (const signs of CROSS_SITE_SIGNS) {
          await post({ ...signs, 'content-type': 'application/json' }, '{}')
          for (const { type, body } of SIMPLE_BODIES) {
            await post({ ...signs, 'content-type': type }, body)
          }
        }
      })
    },
  },
  {
    name: 'a request without Origin and Sec-Fetch-Site passes only as JSON',
    async run(attack) {
      await everyRoute(attack, async (post) => {
        for (const signs of [{}, { origin: 'null' }, { referer: `${attack.origin}/` }]) {
          for (const { type, body } of SIMPLE_BODIES) {
            await post({ ...signs, 'content-type': type }, body)
          }
          await post(signs, '')
        }
        for (const type of [
          'application/jsonp',
          'application/json-patch+json',
          'application/x-json',
          'xapplication/json',
        ]) {
          await post({ 'content-type': type }, '{}')
        }
      })
    },
  },
  {
    name: 'two Origin headers are rejected',
    async run(attack) {
      const { origin } = attack
      for (const origins of [
        [origin, `https://${EVIL}`],
        [`https://${EVIL}`, origin],
      ]) {
        const { answers } = await write(
          attack,
          `POST ${API}/signout HTTP/1.1`,
          [
            'Content-Type: application/json',
            'Content-Length: 2',
            ...origins.map((value) => `Origin: ${value}`),
          ],
          '{}',
        )
        assert.ok([400, 403].includes(answers[0]?.status ?? 0), origins.join(' and '))
      }
    },
  },
  {
    name: 'a forged sign-out leaves the session alone',
    needs: ['session'],
    async run({ send, person, whoIs, origin }) {
      const { cookie, userId } = await person()
      const forged = [
        ...foreignOrigins(origin).map((foreign): Headers => ({ origin: foreign })),
        ...CROSS_SITE_SIGNS,
        {},
      ]
      await eachOf(forged, async (signs) => {
        for (const { type, body } of SIMPLE_BODIES) {
          const headers = { ...signs, 'content-type': type, cookie }
          const answer = await send(`${API}/signout`, { method: 'POST', headers, body })
          assert.equal(answer.status, refusalOf('POST', headers, body))
          assert.deepEqual(answer.setCookies, [])
        }
      })
      assert.equal(await whoIs(cookie), userId)
    },
  },
  {
    name: 'no other origin may read an answer',
    async run({ send, origin }) {
      await eachOf(foreignOrigins(origin), async (foreign) => {
        for (const path of ['/me', '/session', '/describe', '/callback?state=x']) {
          const { headers } = await send(API + path, { headers: { origin: foreign } })
          assertNotShared(headers, foreign)
        }
        const preflight = await send(`${API}/signout`, {
          method: 'OPTIONS',
          headers: {
            origin: foreign,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'content-type',
            'access-control-request-private-network': 'true',
          },
        })
        assertNotShared(preflight.headers, foreign)
        assert.equal(preflight.headers['access-control-allow-private-network'], undefined)
      })
    },
  },
  {
    name: 'its own page may post a form, and a program JSON',
    async run({ send, origin }) {
      const post = (headers: Headers, body: string) =>
        send(`${API}/signout`, { method: 'POST', headers, body })
      const form = { 'content-type': FORM_TYPE }
      const answers = await Promise.all([
        post({ ...form, origin }, 'redirectTo=/'),
        post({ ...form, 'sec-fetch-site': 'same-origin' }, 'redirectTo=/'),
        post({ ...form, 'sec-fetch-site': 'none' }, 'redirectTo=/'),
        post({ 'content-type': 'application/json' }, '{}'),
      ])
      assert.deepEqual(
        answers.map(({ status }) => status),
        [303, 303, 303, 200],
      )
    },
  },
]

const STATE_CHANGING = [
  ['POST', '/signin'],
  ['POST', '/signout'],
  ['DELETE', '/sessions'],
  ['DELETE', '/sessions/x'],
] as const

/** Without Origin and Sec-Fetch-Site, a body that is neither JSON nor a form is rejected for its type. */
function refusalOf(method: string, headers: Headers, body: string): 403 | 415 {
  const isSigned = 'sec-fetch-site' in headers || ![undefined, 'null'].includes(headers.origin)
  const isForm = headers['content-type']?.split(';', 1)[0] === FORM_TYPE
  return method === 'POST' && !isSigned && !isForm && body !== '' ? 415 : 403
}

async function everyRoute(
  { send }: Attack,
  attempts: (post: (headers: Headers, body: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  await eachOf(STATE_CHANGING, async ([method, route]) => {
    await attempts(async (headers, body) => {
      const answer = await send(API + route, { method, headers, body })
      const expected = refusalOf(method, headers, body)
      assert.equal(answer.status, expected, `${method} ${route} with ${JSON.stringify(headers)}`)
      assert.deepEqual(answer.setCookies, [])
    })
  })
}

function assertNotShared(headers: NodeJS.Dict<string | string[]>, foreign: string): void {
  const allowed = headers['access-control-allow-origin']
  assert.ok(allowed !== '*' && allowed !== foreign, `${foreign} may read: ${String(allowed)}`)
}
