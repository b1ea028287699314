import assert from 'node:assert/strict'
import { API, type CaseDefinition, eachOf, EVIL, postForm, postJson } from '../target.js'

const LINE_BREAKS = ['\r\n', '\n', '\r', '\u2028', '\u0085', '\u560d\u560a', '%0d%0a', '%0a', '\0']

const MARKUP = [
  '<script>attack(1)</script>',
  '"><img src=x onerror=attack(1)>',
  "'><svg/onload=attack(1)>",
  '</title><script>attack(1)</script>',
  '<a href="javascript:attack(1)">x</a>',
  '&lt;script&gt;attack(1)&lt;/script&gt;',
  '{{constructor.constructor("attack(1)")()}}',
  '${attack(1)}',
  '\u003cscript\u003eattack(1)',
  '<!--#exec cmd="id"-->',
]

/** Header, markup and parameter injection. */
export const injectionAttacks: readonly CaseDefinition[] = [
  {
    name: 'a line break in a return target starts no header',
    async run(attack) {
      await eachOf(LINE_BREAKS, async (br) => {
        const redirectTo = `/x${br}Set-Cookie: planted=1${br}${br}planted`
        for (const route of ['/signout', '/signin']) {
          const json = await postJson(attack, route, { redirectTo })
          assertNotPlanted(json.headers)
          const form = await postForm(attack, route, { redirectTo })
          assertNotPlanted(form.headers)
          assert.ok(form.status < 500 || form.status === 502, form.text)
        }
      })
    },
  },
  {
    name: 'values passed to the provider add no parameter',
    needs: ['interactive'],
    async run(attack) {
      const hostile = [
        ...LINE_BREAKS.map((br) => `x${br}Set-Cookie: planted=1`),
        `x&redirect_uri=https://${EVIL}`,
        `x%26redirect_uri%3Dhttps://${EVIL}`,
        `x#&redirect_uri=https://${EVIL}`,
        `x;redirect_uri=https://${EVIL}`,
        '\ud800',
        ...MARKUP,
      ]
      await eachOf(hostile, async (loginHint) => {
        const answer = await postJson(attack, '/signin', { loginHint })
        assertNotPlanted(answer.headers)
        if (answer.status === 422) return
        assert.equal(answer.status, 200, answer.text)
        const { redirectUrl } = answer.json() as { redirectUrl: string }
        const { searchParams, hash } = new URL(redirectUrl)
        assert.doesNotMatch(redirectUrl, /[\s<>"]/)
        assert.equal(hash, '')
        assert.equal(new Set(searchParams.keys()).size, [...searchParams.keys()].length)
        assert.ok(!searchParams.get('redirect_uri')?.includes(EVIL))
      })
    },
  },
  {
    name: 'a caller cannot set the parameters of the protocol',
    needs: ['interactive'],
    async run(attack) {
      const planted = {
        state: 'planted',
        nonce: 'planted',
        client_id: 'planted',
        redirect_uri: `https://${EVIL}/planted`,
        redirectUri: `https://${EVIL}/planted`,
        code_challenge: 'planted',
        code_challenge_method: 'plain',
        response_mode: 'form_post',
        response_type: 'token',
        authorizationParams: { prompt: 'planted' },
        issuer: `https://${EVIL}/planted`,
      }
      const answer = await postJson(attack, '/signin?state=planted', planted)
      assert.ok(answer.status === 200 || answer.status === 422, answer.text)
      assert.ok(!answer.text.includes('planted'), answer.text)
      assert.doesNotMatch(answer.text, /form_post|response_type=token|method=plain/)
    },
  },
  {
    name: 'a scope cannot smuggle in another parameter',
    needs: ['interactive'],
    async run(attack) {
      for (const scope of ['a b', 'a"b', 'a\\b', 'a\u0000', 'a\r\nb', '', 'é', 'a\u2028b']) {
        const answer = await postJson(attack, '/signin', { scopes: [scope] })
        assert.equal(answer.status, 422, JSON.stringify(scope))
      }
    },
  },
  {
    name: 'an unknown provider is refused without an echo of markup',
    needs: ['interactive'],
    async run(attack) {
      const ids = [...MARKUP, '__proto__', 'constructor', 'toString', '../x', `https://${EVIL}`]
      for (const providerId of ids) {
        const answer = await postJson(attack, '/signin', { providerId }, { accept: 'text/html' })
        assert.equal(answer.status, 422, providerId)
        assert.doesNotMatch(answer.text, /<script>attack|<img|<svg\/|javascript:/)
      }
    },
  },
  {
    name: 'error pages escape all input',
    async run({ send }) {
      await eachOf(MARKUP, async (markup) => {
        const value = encodeURIComponent(markup)
        for (const query of [
          `error=${value}&error_description=${value}&state=${value}`,
          `code=${value}&state=${value}&iss=${value}&provider=${value}`,
          `error_uri=${value}&state=x`,
        ]) {
          const answer = await send(`${API}/callback?${query}`, {
            headers: { accept: 'text/html', 'x-request-id': markup, referer: markup },
          })
          assertEscaped(answer.text, markup)
        }
        for (const path of [`logout?ticket=${value}`, `logged-out?state=${value}`, value]) {
          const answer = await send(`${API}/${path}`, { headers: { accept: 'text/html' } })
          assertEscaped(answer.text, markup)
        }
        const home = await send(`/?${value}`, { headers: { 'user-agent': markup } })
        assertEscaped(home.text, markup)
      })
    },
  },
  {
    name: 'a request id is accepted only when it is harmless',
    async run({ send }) {
      const good = await send(`${API}/me`, { headers: { 'x-request-id': 'trace-1_A' } })
      assert.equal(good.headers['x-request-id'], 'trace-1_A')
      const hostile = [
        ...MARKUP,
        'a b',
        '\u00e9',
        'x'.repeat(65),
        '',
        '%0d%0aplanted: 1',
        '../x',
        ';',
      ]
      for (const id of hostile.filter((value) => /^[\t\x20-\xff]*$/.test(value))) {
        const answer = await send(`${API}/me`, { headers: { 'x-request-id': id } })
        const given = String(answer.headers['x-request-id'])
        assert.match(given, /^[\w-]{1,64}$/)
        assert.notEqual(given, id)
      }
      const twice = await send(`${API}/me`, { headers: { 'x-request-id': ['a', 'b'] } })
      assert.match(String(twice.headers['x-request-id']), /^[\w-]{1,64}$/)
    },
  },
]

function assertNotPlanted(headers: NodeJS.Dict<string | string[]>): void {
  for (const [name, value] of Object.entries(headers)) {
    const isTarget = name === 'location'
    assert.notEqual(name, 'planted')
    if (!isTarget) assert.doesNotMatch(String(value), /planted/, name)
    else assert.doesNotMatch(String(value), /[\r\n\0]/, name)
  }
}

/** Asserts that a page contains none of the caller's markup, either raw or decoded once more. */
function assertEscaped(page: string, markup: string): void {
  if (/[<>]/.test(markup)) assert.ok(!page.includes(markup), `the page has ${markup}`)
  assert.doesNotMatch(page, /<script>attack|<img|<svg\/|href="javascript:/i)
}
