import assert from 'node:assert/strict'
import { requestBytes } from '../exchange.js'
import { API, type Attack, type CaseDefinition, eachOf, EVIL } from '../target.js'

/** Spellings of a route that a lenient router or proxy may match. */
function aliases(route: string): string[] {
  const encoded = [...route].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')
  return [
    `/${API}/${route}`,
    `//${API.slice(1)}//${route}`,
    API.replace('/v1', '//v1') + `/${route}`,
    `${API}//${route}`,
    `${API}/${route}/`,
    `${API}/${route}//`,
    `${API.toUpperCase()}/${route}`,
    `${API}/${route.toUpperCase()}`,
    `${API}/${route.slice(0, 1).toUpperCase()}${route.slice(1)}`,
    `${API}/${route};x=1`,
    `${API};x/${route}`,
    `${API}/${route};`,
    `${API}/${encoded}`,
    `${API}/%25${encoded.slice(1)}`,
    `${API}%2f${route}`,
    `${API}%2F${route}`,
    `${API}%252f${route}`,
    `${API}%5c${route}`,
    `${API}/./${route}`,
    `${API}/x/../${route}`,
    `${API}/../auth/${route}`,
    `${API}/%2e/${route}`,
    `${API}/x/%2e%2e/${route}`,
    `${API}/..;/auth/${route}`,
    `${API}/${route}/.`,
    `${API}/${route}/..`,
    `${API}/${route}%00`,
    `${API}/${route}%00.css`,
    `${API}/${route}%20`,
    `${API}/${route}%09`,
    `${API}/${route}%0a`,
    `${API}/${route}%2f`,
    `${API}/${route}%3f`,
    `${API}/${route}%23`,
    `${API}/${route}.json`,
    `${API}/${route}.css`,
    `${API}/${route}/x.css`,
    `${API}/${route}.`,
    `${API}/${route}~`,
    `${API}/${route}\\`,
    `${API}\\${route}`,
    API.replaceAll('/', '\\') + `\\${route}`,
    `/%61pi/v1/auth/${route}`,
    `/api/v01/auth/${route}`,
    `/api/v2/auth/${route}`,
    `/x/..${API}/${route}`,
    `/docs/..${API}/${route}`,
    `/health/..${API}/${route}`,
    `*${API}/${route}`,
    `${API}/${route}:443`,
    `${API}/@${route}`,
    `${API}/${route}&x=1`,
  ]
}

/** Malformed escapes, each of which must be a client error. */
const MALFORMED = ['%', '%2', '%zz', '%E0%A4%A', '%c0%af', '%u002e', '%ff', '%00', '%0d%0a', '%%%']

/** Request targets that name another host, or that a URL parser would read as naming one. */
const FOREIGN_TARGETS = [
  `http://${EVIL}`,
  `http://${EVIL}/`,
  `HTTP://${EVIL.toUpperCase()}:80/`,
  `https://user:pass@${EVIL}/`,
  `ftp://${EVIL}/`,
  `http://${EVIL}?x=1`,
  `http://${EVIL}//${EVIL}/`,
  `http:///${EVIL}/`,
  `http:/${EVIL}/`,
  `http:${EVIL}`,
  `http:\\\\${EVIL}/`,
  `//${EVIL}/`,
  `//${EVIL}/docs`,
  `//${EVIL}/..`,
  `///${EVIL}/`,
  `/\\${EVIL}/`,
  `/%5c${EVIL}/`,
  '//',
  '//?x=1',
  '/\\',
  '/?//' + EVIL,
  '*',
  '?x=1',
  EVIL,
  `${EVIL}:443`,
]
/** Pages and routes that could redirect: those of the service, the documentation, better-auth. */
const FOREIGN_PATHS = [
  '/docs',
  '/docs/',
  '/openapi.json',
  '/health/live',
  '/api/auth/ok',
  `${API}/x`,
]

/** Path confusion. */
export const pathAttacks: readonly CaseDefinition[] = [
  {
    name: 'no other spelling of a path reaches a route that reads',
    async run(attack) {
      const cookie = attack.target.signIn ? (await attack.person()).cookie : 'a=b'
      for (const route of ['me', 'session']) {
        await eachOf(aliases(route), async (path) => {
          const { status, text } = await raw(attack, `GET ${path}`, [`Cookie: ${cookie}`])
          assert.ok(status >= 400 && status < 500, `${path} answered ${status}`)
          assert.ok(!text.includes('"authenticated"'), `${path} answered ${text}`)
        })
      }
    },
  },
  {
    name: 'no other spelling of a path reaches a route that writes',
    async run(attack) {
      for (const route of ['signin', 'signout']) {
        await eachOf(aliases(route), async (path) => {
          const answer = await raw(attack, `POST ${path}`, [
            'Content-Type: application/json',
            'Content-Length: 2',
          ])
          const { status, text, setCookies } = answer
          assert.ok(status >= 400 && status < 500, `${path} answered ${status}: ${text}`)
          assert.equal(setCookies, undefined, `${path} sets a cookie`)
        })
      }
    },
  },
  {
    name: 'an absolute target is the same route under the same rules',
    async run(attack) {
      for (const authority of [new URL(attack.origin).host, EVIL, `user@${EVIL}`]) {
        const me = await raw(attack, `GET http://${authority}${API}/me`, [])
        assert.ok(me.text === '{"authenticated":false}' || me.status >= 400, me.text)
        assert.ok(!me.text.includes(EVIL))
        const crossSite = await raw(attack, `POST http://${authority}${API}/signout`, [
          `Origin: http://${EVIL}`,
          'Content-Type: application/json',
          'Content-Length: 2',
        ])
        assert.ok([400, 403, 404, 421].includes(crossSite.status), crossSite.text)
        const callback = await raw(attack, `POST http://${authority}${API}/callback`, [])
        assert.ok([400, 404, 405, 421].includes(callback.status), callback.text)
      }
    },
  },
  {
    name: 'a target on another host causes no redirect and no error',
    async run(attack) {
      const { origin } = attack
      const targets = [
        ...FOREIGN_TARGETS,
        ...FOREIGN_PATHS.flatMap((path) => [`http://${EVIL}${path}`, `//${EVIL}${path}`]),
      ]
      await eachOf(targets, async (target) => {
        for (const method of ['GET', 'HEAD', 'OPTIONS']) {
          for (const host of [new URL(origin).host, '127.0.0.1', EVIL]) {
            const { status, headers } = await raw(attack, `${method} ${target}`, [], host)
            assert.ok(status < 500, `${method} ${target} answered ${status}`)
            const location = headers.get('location')
            if (location === undefined) continue
            assert.equal(new URL(location, origin).origin, origin, `${target} leads to ${location}`)
          }
        }
      })
    },
  },
  {
    name: 'a callback with an absolute target is answered as one with a path',
    async run(attack) {
      const query = '?state=x&code=y'
      const plain = await raw(attack, `GET ${API}/callback${query}`, [])
      const absolute = await raw(attack, `GET http://${EVIL}${API}/callback${query}`, [])
      assert.equal(absolute.status, plain.status)
      assert.equal(absolute.text, plain.text)
      for (const name of ['referrer-policy', 'cache-control', 'vary', 'ratelimit-policy']) {
        assert.equal(absolute.headers.get(name), plain.headers.get(name), name)
      }
    },
  },
  {
    name: 'malformed escapes in a path are a client error',
    async run({ send }) {
      const folders = [`${API}/`, `${API}/me`, `${API}/sessions/`, '/', '/docs/', '/health/']
      const wrong: string[] = []
      await eachOf(folders, async (folder) => {
        for (const escape of MALFORMED) {
          for (const method of ['GET', 'DELETE']) {
            const headers = { 'sec-fetch-site': 'same-origin' }
            const { status } = await send(folder + escape, { method, headers })
            if (status < 300 || status >= 500) wrong.push(`${method} ${folder}${escape}: ${status}`)
          }
        }
      })
      assert.deepEqual(wrong, [])
    },
  },
  {
    name: 'malformed escapes in a query are a client error',
    async run({ send }) {
      const parameters = ['callback?state=', 'callback?code=x&state=', 'logout?ticket=']
      await eachOf(parameters, async (parameter) => {
        for (const escape of MALFORMED) {
          const { status, text } = await send(`${API}/${parameter}${escape}`)
          assert.ok([400, 422, 502].includes(status), `${parameter}${escape} answered ${text}`)
        }
      })
      await eachOf([...MALFORMED, '?', '&&&', '=', '__proto__=x', 'a[b][c]=d'], async (query) => {
        assert.equal((await send(`${API}/me?${query}`)).text, '{"authenticated":false}')
      })
    },
  },
  {
    name: 'a repeated or nested parameter is not treated as a single one',
    async run({ send }) {
      const queries = [
        'state=a&state=b',
        'state[]=a',
        'state[a]=b',
        'code=a&code=b&state=x',
        'error=a&error=b&state=x',
        '__proto__[state]=x',
        'constructor[prototype][state]=x',
      ]
      for (const query of queries) {
        const { status, text } = await send(`${API}/callback?${query}`)
        assert.ok([400, 422, 502].includes(status), `${query} answered ${status}: ${text}`)
      }
    },
  },
]

interface RawResult {
  status: number
  text: string
  setCookies: string | undefined
  headers: ReadonlyMap<string, string>
}

/** Sends a request target that client libraries reject or rewrite. */
async function raw(
  { exchange, origin }: Attack,
  methodAndTarget: string,
  headers: readonly string[],
  host = new URL(origin).host,
): Promise<RawResult> {
  const hasBody = headers.some((line) => line.startsWith('Content-Length'))
  const { answers } = await exchange(
    requestBytes(
      `${methodAndTarget} HTTP/1.1`,
      [`Host: ${host}`, 'Connection: close', ...headers],
      hasBody ? '{}' : '',
    ),
  )
  const [answer] = answers
  assert.ok(answer, `${methodAndTarget} was not answered`)
  return {
    status: answer.status,
    text: answer.body,
    setCookies: answer.headers.get('set-cookie'),
    headers: answer.headers,
  }
}
