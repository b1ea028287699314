import assert from 'node:assert/strict'
import { API, type Attack, type CaseDefinition, eachOf, withValue, write } from '../target.js'

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Cookies that a sibling domain or an old application may have left in the browser. */
const GARBAGE = [
  '%',
  '=',
  '=x',
  ';;;',
  'a',
  'a=',
  'a=%E0%A4%A',
  'a=%00',
  'a="',
  'a="b;c"',
  'a=j:{"a":1}',
  'a=j:[',
  'a=s:b.c',
  '__proto__=x',
  'constructor=x',
  'toString=x; hasOwnProperty=x',
  'a=\u00e9\u00ff',
  `a=${'b'.repeat(4_000)}`,
  'a=b; a=c; a=d',
  Array.from({ length: 300 }, (_, index) => `c${index}=1`).join('; '),
]

/** Forged values of the session cookie. */
const FORGED = [
  '',
  '.',
  '..',
  'a.b',
  'a.b.c',
  'null',
  'true',
  '0',
  'undefined',
  '%',
  '%00',
  '%E0%A4%A',
  '"',
  '""',
  'j:{"authenticated":true}',
  'j:null',
  'j:',
  's:x.y',
  '{"userId":"1"}',
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.',
  `${'A'.repeat(43)}.${'A'.repeat(43)}`,
  'A'.repeat(8_000),
  '.'.repeat(4_000),
  "' OR 1=1 --",
  '../../etc/passwd',
  '\u00e9\u00ff',
  '__proto__',
]

/** Attacks on the session cookie: every byte, and with other cookies beside it. */
export const cookieAttacks: readonly CaseDefinition[] = [
  {
    name: 'a forged session cookie is anonymous, not an error',
    async run({ send, target, person }) {
      const names = target.signIn
        ? (await person()).credentials.map(({ name }) => name)
        : ['__Host-ns_session', 'wos-session', 'better-auth.session_token']
      await eachOf(FORGED, async (value) => {
        for (const name of names) {
          for (const path of ['/me', '/session']) {
            const answer = await send(API + path, { headers: { cookie: `${name}=${value}` } })
            assert.equal(answer.status, 200, `${name}=${value.slice(0, 80)}`)
            assert.equal(answer.text, '{"authenticated":false}')
          }
        }
      })
    },
  },
  {
    name: 'garbage beside it changes nothing',
    async run({ whoIs, target, person }) {
      const somebody = target.signIn ? await person() : undefined
      await eachOf(GARBAGE, async (garbage) => {
        assert.equal(await whoIs(garbage), undefined, garbage.slice(0, 80))
        if (!somebody) return
        for (const cookie of [`${garbage}; ${somebody.cookie}`, `${somebody.cookie}; ${garbage}`]) {
          assert.equal(await whoIs(cookie), somebody.userId, garbage.slice(0, 80))
        }
      })
    },
  },
  {
    name: 'every byte of the session cookie matters',
    needs: ['session'],
    run: (attack) =>
      eachTampered(attack, (value) =>
        [...value].flatMap((char, at) =>
          samples(char, at).map((other) => value.slice(0, at) + other + value.slice(at + 1)),
        ),
      ),
  },
  {
    name: 'nothing can be cut from it or added to it',
    needs: ['session'],
    run: (attack) =>
      eachTampered(attack, (value) => [
        ...Array.from({ length: value.length }, (_, length) => value.slice(0, length)),
        ...[...value].map((_, at) => value.slice(0, at) + value.slice(at + 1)),
        ...['A', '.', '=', '==', '.A', '%', '-', '~2', '%00', '%20', '%3D'].flatMap((extra) => [
          value + extra,
          extra + value,
        ]),
        value + value,
        `${value}.${value}`,
        value.toLowerCase(),
        value.toUpperCase(),
        [...value].reverse().join(''),
        value.split('.').reverse().join('.'),
        `j:${value}`,
        `s:${value}`,
        `Bearer ${value}`,
      ]),
  },
  {
    name: 'base64url has one spelling',
    needs: ['session'],
    run: (attack) =>
      eachTampered(attack, (value) => [
        ...otherSpellings(value),
        ...swaps(value, /-/g, '+'),
        ...swaps(value, /_/g, '/'),
        ...value.split('.').map((part) => value.replace(part, `${part}=`)),
      ]),
  },
  {
    name: 'another spelling of the header names no other user',
    needs: ['session'],
    async run({ whoIs, person }) {
      const somebody = await person()
      for (const { name, value } of somebody.credentials) {
        for (const spelling of [
          `"${value}"`,
          ` ${value} `,
          `\t${value}`,
          `%${value.charCodeAt(0).toString(16)}${value.slice(1)}`,
          `${value},x`,
          `${value} x`,
        ]) {
          const who = await whoIs(withValue(somebody, name, spelling))
          assert.ok(who === undefined || who === somebody.userId, spelling)
        }
      }
    },
  },
  {
    name: 'its name has one spelling',
    needs: ['session'],
    async run({ whoIs, person }) {
      const somebody = await person()
      for (const { name, value } of somebody.credentials) {
        const names = [
          name.toLowerCase(),
          name.toUpperCase(),
          `${name}[]`,
          `${name}.0`,
          `x${name}`,
          `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
          `"${name}"`,
          name.replace(/^__(?:Host|Secure)-/, ''),
          `__HOST-${name.replace(/^__(?:Host|Secure)-/, '')}`,
        ]
        for (const other of names.filter((candidate) => candidate !== name)) {
          const cookie = somebody.cookie.replace(`${name}=`, `${other}=`)
          assert.equal(await whoIs(cookie), undefined, `${other}=${value.length} characters`)
        }
      }
    },
  },
  {
    name: 'two session cookies are both ignored',
    needs: ['session'],
    async run(attack) {
      const [one, other] = [await attack.person(), await attack.anotherPerson()]
      for (const { name, value } of one.credentials) {
        const theirs = other.credentials.find((pair) => pair.name === name)?.value ?? value
        for (const second of ['', 'x', value, theirs, `${value.slice(0, -2)}xx`]) {
          const pairs = [`${name}=${second}`, one.cookie]
          for (const cookie of [pairs.join('; '), pairs.reverse().join('; ')]) {
            assert.equal(await attack.whoIs(cookie), undefined, `a second one of ${second.length}`)
          }
          assert.equal(await whoIsByLines(attack, pairs), '{"authenticated":false}')
        }
      }
      assert.equal(await attack.whoIs(one.cookie), one.userId)
    },
  },
  {
    name: 'control characters in a Cookie header are refused',
    async run(attack) {
      for (const cookie of ['a=\0', 'a=b\0c', 'a=\x01', 'a=\x7f', 'a=b\rc', 'a=b\nc']) {
        const { answers } = await write(attack, `GET ${API}/me HTTP/1.1`, [`Cookie: ${cookie}`])
        assert.equal(answers.length, 1)
        const [answer] = answers
        const nobody = answer?.status === 200 && answer.body === '{"authenticated":false}'
        assert.ok(nobody || answer?.status === 400, JSON.stringify(cookie))
      }
    },
  },
]

/** Two other characters for a position, different ones for each. */
function samples(char: string, at: number): string[] {
  const near = BASE64URL[(BASE64URL.indexOf(char) + 1) % 64] ?? 'A'
  const far = BASE64URL[(at * 7 + 13) % 64] ?? 'B'
  return [...new Set([near, far])].filter((other) => other !== char)
}

/** Other last characters of each part that decode to the same bytes (RFC 4648 section 3.5). */
function otherSpellings(value: string): string[] {
  let end = 0
  return value.split('.').flatMap((part) => {
    end += part.length
    const at = end - 1
    end += 1
    const index = BASE64URL.indexOf(part.at(-1) ?? '')
    const unusedBits = { 2: 4, 3: 2 }[part.length % 4]
    if (index < 0 || unusedBits === undefined) return []
    const first = index - (index % 2 ** unusedBits)
    return Array.from({ length: 2 ** unusedBits }, (_, bits) => BASE64URL[first + bits] ?? '')
      .map((char) => value.slice(0, at) + char + value.slice(at + 1))
      .filter((spelling) => spelling !== value)
  })
}

function swaps(value: string, pattern: RegExp, by: string): string[] {
  const swapped = value.replace(pattern, by)
  return swapped === value ? [] : [swapped]
}

async function eachTampered(
  { person, whoIs }: Attack,
  variants: (value: string) => readonly string[],
): Promise<void> {
  const somebody = await person()
  for (const { name, value } of somebody.credentials) {
    const tampered = variants(value).filter((variant) => variant !== value)
    await eachOf(tampered, async (variant) => {
      const who = await whoIs(withValue(somebody, name, variant))
      assert.equal(who, undefined, `${name} still opens with ${difference(value, variant)}`)
    })
  }
  assert.equal(await whoIs(somebody.cookie), somebody.userId)
}

/** Position of the first difference, without the values: a report must not contain a live cookie. */
function difference(value: string, variant: string): string {
  const at = [...value].findIndex((char, index) => char !== variant[index])
  return `another character at ${at < 0 ? value.length : at} of ${value.length}, length ${variant.length}`
}

/** `GET /me` with one `Cookie` line per cookie. */
async function whoIsByLines(
  attack: Attack,
  cookies: readonly string[],
): Promise<string | undefined> {
  const lines = cookies.map((cookie) => `Cookie: ${cookie}`)
  const { answers } = await write(attack, `GET ${API}/me HTTP/1.1`, lines)
  return answers[0]?.body
}
