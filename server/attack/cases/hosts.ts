import assert from 'node:assert/strict'
import { type Answer, requestBytes } from '../exchange.js'
import { API, type Attack, type CaseDefinition, EVIL, postJson } from '../target.js'

/** Headers of a proxy, sent by a client. */
const FORWARDED: readonly Readonly<Record<string, string>>[] = [
  { host: EVIL },
  { host: `${EVIL}:443` },
  { host: `localhost.${EVIL}` },
  { 'x-forwarded-host': EVIL },
  { 'x-forwarded-host': `${EVIL}, localhost` },
  { 'x-forwarded-server': EVIL, 'x-host': EVIL, 'x-original-host': EVIL },
  { forwarded: `for=192.0.2.1;host=${EVIL};proto=https` },
  { 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443', 'x-forwarded-ssl': 'on' },
  { 'x-forwarded-proto': 'javascript' },
  { 'x-forwarded-prefix': `//${EVIL}`, 'x-script-name': `//${EVIL}` },
  { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', 'true-client-ip': '::1' },
  { 'x-original-url': `//${EVIL}/`, 'x-rewrite-url': `//${EVIL}/` },
  { 'x-forwarded-uri': `http://${EVIL}/`, 'x-forwarded-path': `//${EVIL}` },
]

/** Pages and redirects. */
const PAGES = [
  ...['/', '/docs', '/docs/', `${API}/callback?state=x`, `${API}/forward-auth?mode=redirect`],
  `${API}/sign-in-page?redirectTo=//${EVIL}/`,
]

/** Host header attacks, and X-Forwarded-* from untrusted peers. */
export const hostAttacks: readonly CaseDefinition[] = [
  {
    name: 'no header moves the address to return to',
    async run(attack) {
      for (const headers of FORWARDED) {
        const answer = await postJson(attack, '/signout', { redirectTo: '/after' }, headers)
        if (isRefusedByProxy(answer, headers)) continue
        assert.equal(answer.status, 200, JSON.stringify(headers))
        const { redirectTo } = answer.json() as { redirectTo: string }
        assert.equal(redirectTo, `${attack.origin}/after`, JSON.stringify(headers))
        for (const cookie of answer.setCookies) assert.doesNotMatch(cookie, /evil|domain=/i)
      }
    },
  },
  {
    name: 'no header makes another origin our own',
    async run(attack) {
      for (const headers of FORWARDED) {
        const foreign = { ...headers, origin: `https://${EVIL}` }
        const answer = await postJson(attack, '/signout', {}, foreign)
        assert.ok([400, 403, 404, 421].includes(answer.status), JSON.stringify(headers))
      }
    },
  },
  {
    name: 'no header moves the redirect URI or the cookie of a sign-in',
    needs: ['interactive'],
    async run(attack) {
      const expected = await startSignIn(attack, {})
      for (const headers of FORWARDED) {
        const got = await startSignIn(attack, headers)
        if (got !== undefined) assert.deepEqual(got, expected, JSON.stringify(headers))
      }
    },
  },
  {
    name: 'no header moves the redirects of the pages',
    async run({ send, origin }) {
      for (const headers of FORWARDED) {
        for (const path of PAGES) {
          const answer = await send(path, { headers: { ...headers, accept: 'text/html' } })
          const { location } = answer.headers
          if (location !== undefined) assertStays(location, origin, path)
          assert.ok(!answer.text.includes(EVIL), `${path} shows the name it was told`)
        }
      }
    },
  },
  {
    name: 'no header changes which route is meant',
    async run({ send }) {
      for (const header of [
        'x-original-url',
        'x-rewrite-url',
        'x-forwarded-uri',
        'x-original-uri',
      ]) {
        const elsewhere = await send(`${API}/nothing`, { headers: { [header]: `${API}/me` } })
        assert.equal(elsewhere.status, 404, header)
        const asHealth = await send(`${API}/signin`, {
          headers: { [header]: '/health/live', 'user-agent': 'kube-probe/1.30' },
        })
        assert.equal(asHealth.status, 405, header)
      }
    },
  },
  {
    name: 'a missing, repeated or invalid Host has no effect',
    async run({ exchange, origin }) {
      const { host } = new URL(origin)
      const body = '{"redirectTo":"/after"}'
      for (const hosts of [
        [],
        [`Host: ${host}`, `Host: ${EVIL}`],
        [`Host: ${EVIL}`, `Host: ${host}`],
        ['Host:'],
        [`Host: ${host}@${EVIL}`],
        [`Host: ${host}/../${EVIL}`],
        [`Host: ${EVIL}#${host}`],
        [`Host : ${EVIL}`],
        [` Host: ${EVIL}`],
      ]) {
        const { answers } = await exchange(
          requestBytes(
            `POST ${API}/signout HTTP/1.1`,
            [
              ...hosts,
              'Connection: close',
              'Content-Type: application/json',
              `Content-Length: ${body.length}`,
            ],
            body,
          ),
        )
        for (const answer of answers) {
          assert.ok(!answer.body.includes(EVIL), hosts.join(' '))
          if (answer.status >= 400) continue
          assert.equal((JSON.parse(answer.body) as Target).redirectTo, `${origin}/after`)
        }
      }
    },
  },
  {
    name: 'a rate limit counts the peer, not the address that it claims',
    async run({ send }) {
      const counts: number[] = []
      for (let index = 1; index <= 3; index += 1) {
        const address = `192.0.2.${index}`
        const answer = await send(`${API}/callback?state=x`, {
          headers: {
            'x-forwarded-for': address,
            'x-real-ip': address,
            'cf-connecting-ip': address,
            'true-client-ip': address,
            forwarded: `for=${address}`,
          },
        })
        const remaining = remainingRequests(answer)
        if (remaining !== undefined) counts.push(remaining)
      }
      const [first, , last] = counts
      if (first === undefined || last === undefined) return
      assert.ok(last < first || first === 0, `remaining went ${counts.join(', ')}`)
    },
  },
]

interface Target {
  redirectTo: string
}

/** A proxy with fixed host names rejects requests for others. */
function isRefusedByProxy(answer: Answer, headers: Readonly<Record<string, string>>): boolean {
  return 'host' in headers && answer.status >= 400 && answer.headers['x-request-id'] === undefined
}

async function startSignIn(
  attack: Attack,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const answer = await postJson(attack, '/signin', {}, headers)
  if (isRefusedByProxy(answer, headers)) return undefined
  assert.equal(answer.status, 200, answer.text)
  const url = new URL((answer.json() as { redirectUrl: string }).redirectUrl)
  return {
    origin: url.origin,
    redirectUri: url.searchParams.getAll('redirect_uri'),
    attributes: answer.setCookies.map((line) => line.slice(line.indexOf(';'))),
  }
}

function assertStays(location: string, origin: string, path: string): void {
  const url = new URL(location, `${origin}${path}`)
  assert.equal(url.origin, origin, `${path} redirects to ${location}`)
}

/** Reads the RateLimit headers of either draft. */
function remainingRequests({ headers }: Pick<Answer, 'headers'>): number | undefined {
  const old = headers['ratelimit-remaining']
  const value =
    typeof old === 'string' ? old : /\br(?:emaining)?=(\d+)/.exec(String(headers.ratelimit))?.[1]
  return value === undefined ? undefined : Number(value)
}
