import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Answer } from '../exchange.js'
import { API, type Attack, type CaseDefinition, eachOf, FORM_TYPE } from '../target.js'

const POLLUTION = [
  '{"__proto__":{"authenticated":true,"everywhere":true,"redirectTo":"https://evil.example"}}',
  '{"constructor":{"prototype":{"authenticated":true}}}',
  '{"__proto__":null}',
  '{"__proto__":[],"toString":1,"hasOwnProperty":1,"valueOf":1}',
  '{"toJSON":1,"then":1,"length":-1}',
]

const NOT_AN_OBJECT = [
  'null',
  'true',
  '1',
  '"x"',
  '[]',
  '[{"redirectTo":"/"}]',
  '""',
  '-0',
  '1e999',
]

const NOT_JSON = [
  '{',
  '}',
  '{"a":}',
  "{'a':1}",
  '{"a":1,}',
  'undefined',
  'NaN',
  '{}{}',
  '{} x',
  '\ufeff{',
  '//x\n{}',
  '<x/>',
  '\0',
  '{"a":"\t"}',
  '{"a":"\\x"}',
  '[1,2',
  ")]}',\n{}",
]

/** Bodies that break parsers. */
export const bodyAttacks: readonly CaseDefinition[] = [
  {
    name: 'prototype pollution affects no other request',
    async run(attack) {
      for (const body of POLLUTION) {
        for (const route of ['/signout', '/signin']) {
          const { status, text } = await post(attack, route, body)
          assert.ok([200, 422, 502].includes(status), `${body} answered ${status}: ${text}`)
          assert.ok(!text.includes('evil.example'), text)
        }
        assert.equal(await attack.whoIs(undefined), undefined)
      }
      for (const form of ['__proto__=x', '__proto__[everywhere]=1', 'constructor.prototype.a=1']) {
        const { status } = await post(attack, '/signout', form, { 'content-type': FORM_TYPE })
        assert.equal(status, 303, form)
      }
      assert.equal(await attack.whoIs(undefined), undefined)
    },
  },
  {
    name: 'JSON other than an object is rejected',
    async run(attack) {
      await eachOf(NOT_AN_OBJECT, async (body) => {
        const { status } = await post(attack, '/signout', body)
        assert.ok([400, 422].includes(status), `${body} answered ${status}`)
      })
    },
  },
  {
    name: 'malformed JSON is rejected without the parser’s message',
    async run(attack) {
      await eachOf(NOT_JSON, async (body) => {
        const { status } = await post(attack, '/signout', body)
        assert.equal(status, 400, JSON.stringify(body))
      })
      for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0x7b, 0x00, 0x7d, 0x00]]) {
        const { status } = await post(attack, '/signout', Buffer.from(bytes))
        assert.equal(status, 400, bytes.join(' '))
      }
    },
  },
  {
    name: 'deep nesting, repeated keys and huge numbers are harmless',
    async run(attack) {
      const depth = 7_000
      const bombs = [
        `${'['.repeat(depth)}${']'.repeat(depth)}`,
        `${'{"a":'.repeat(2_500)}1${'}'.repeat(2_500)}`,
        `{"redirectTo":${'['.repeat(depth)}${']'.repeat(depth)}}`,
        `{${Array.from({ length: 1_500 }, (_, index) => `"k${index}":1`).join()}}`,
        `{${Array.from({ length: 1_500 }, () => '"a":1').join()}}`,
        `{"scopes":[${Array.from({ length: 3_000 }, () => '"a"').join()}]}`,
        `{"a":${'9'.repeat(15_000)}}`,
        `{"a":1e${'9'.repeat(10_000)}}`,
        `{"redirectTo":"${'\\u002f'.repeat(2_500)}"}`,
        `{"loginHint":"${'\\ud83d'.repeat(2_500)}"}`,
      ]
      await eachOf(bombs, async (body) => {
        for (const route of ['/signin', '/signout']) {
          const { status } = await post(attack, route, body)
          assert.ok([200, 400, 422, 502].includes(status), `${body.slice(0, 20)}: ${status}`)
        }
      })
    },
  },
  {
    name: 'a field of another type is refused by name',
    async run(attack) {
      const wrong: unknown[] = [null, 1, true, [], {}, ['/'], { toString: '/' }]
      for (const value of wrong) {
        const answer = await post(attack, '/signout', JSON.stringify({ redirectTo: value }))
        assert.equal(answer.status, 422, JSON.stringify(value))
        const { data } = answer.json() as { data: { fieldErrors: object } }
        assert.deepEqual(Object.keys(data.fieldErrors), ['redirectTo'])
      }
      for (const form of ['redirectTo=/a&redirectTo=/b', 'everywhere=maybe']) {
        const { status } = await post(attack, '/signout', form, { 'content-type': FORM_TYPE })
        assert.equal(status, 422, form)
      }
    },
  },
  {
    name: 'a return target in brackets is not a return target',
    async run(attack) {
      const forms = ['redirectTo[]=//evil.example', 'redirectTo[a]=//evil.example', 'redirectTo']
      for (const form of forms) {
        const answer = await post(attack, '/signout', form, { 'content-type': FORM_TYPE })
        assert.ok([303, 422].includes(answer.status), form)
        assert.ok(!answer.headers.location?.includes('evil'), form)
      }
    },
  },
  {
    name: 'a form of thousands of fields is answered at once',
    async run(attack) {
      const form = Array.from({ length: 4_000 }, (_, index) => `${index % 50}=1`).join('&')
      const { status } = await post(attack, '/signout', form.slice(0, 16_000), {
        'content-type': FORM_TYPE,
      })
      assert.equal(status, 303)
    },
  },
  {
    name: 'a decompression bomb is rejected',
    async run(attack) {
      const bomb = Buffer.from(`{"x":"${'0'.repeat(10_000_000)}"}`)
      const compressed = {
        gzip: gzipSync(bomb),
        deflate: deflateSync(bomb),
        br: brotliCompressSync(bomb),
      }
      for (const [encoding, body] of Object.entries(compressed)) {
        for (const type of ['application/json', FORM_TYPE]) {
          const { status } = await post(attack, '/signout', body, {
            'content-encoding': encoding,
            'content-type': type,
          })
          assert.ok([413, 415].includes(status), `${encoding} of ${type} answered ${status}`)
        }
      }
    },
  },
  {
    name: 'an unknown or false encoding or charset is rejected',
    async run(attack) {
      for (const encoding of [
        'evil',
        'gzip, gzip',
        'identity, evil',
        'compress',
        '*',
        '__proto__',
      ]) {
        const { status } = await post(attack, '/signout', '{}', { 'content-encoding': encoding })
        assert.equal(status, 415, encoding)
      }
      for (const encoding of ['gzip', 'deflate', 'br']) {
        const { status } = await post(attack, '/signout', '{}', { 'content-encoding': encoding })
        assert.ok([400, 415].includes(status), `${encoding} answered ${status}`)
      }
      const types = ['utf-7', 'utf-16', 'iso-8859-1', 'x', '', '"utf-8', 'utf-8;charset=utf-7']
      await eachOf(types, async (charset) => {
        const { status, text } = await post(attack, '/signout', '{}', {
          'content-type': `application/json; charset=${charset}`,
        })
        assert.ok([200, 400, 403, 415].includes(status), `${charset} answered ${status}: ${text}`)
        const form = await post(attack, '/signout', 'redirectTo=/', {
          'content-type': `${FORM_TYPE}; charset=${charset}`,
        })
        assert.ok([303, 400, 415, 422].includes(form.status), `${charset}: ${form.status}`)
      })
    },
  },
  {
    name: 'a content type that is neither JSON nor a form is refused',
    async run(attack) {
      const types = [
        'text/plain',
        'text/html',
        'application/xml',
        'multipart/form-data; boundary=x',
        'application/json-seq',
        'application/x-www-form-urlencoded-x',
        'application/octet-stream',
        '/',
        ';',
        'a'.repeat(2_000),
        'application/json/x',
      ]
      await eachOf(types, async (type) => {
        const { status } = await post(attack, '/signout', '{}', {
          'content-type': type,
          'sec-fetch-site': 'same-origin',
        })
        assert.equal(status, 415, type.slice(0, 80))
      })
    },
  },
  {
    name: 'a body on a GET is ignored',
    async run({ send }) {
      const bodies: [string, string][] = [
        ['application/json', '{'],
        ['application/json', '{"a":1}'],
        ['text/plain', 'x'],
        [FORM_TYPE, 'a=b'],
        ['application/json', `{"a":"${'x'.repeat(20_000)}"}`],
      ]
      for (const [type, body] of bodies) {
        for (const path of ['/me', '/session', '/describe']) {
          const { status } = await send(API + path, { headers: { 'content-type': type }, body })
          assert.equal(status, 200, `${path} with ${type}: what is not declared is not read`)
        }
      }
    },
  },
]

function post(
  { send }: Attack,
  route: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send(API + route, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers },
    body,
  })
}
