import assert from 'node:assert/strict'
import {
  accountContractV1,
  authContractV1,
  forwardAuthContractV1,
  protocolContractV1,
  serviceContractV1,
} from '@netscript/auth-contract'
import { eachOf } from '../person.js'
import { API, type CaseDefinition } from '../target.js'

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
    async run({ exchange, origin }) {
      const { host } = new URL(origin)
      for (const method of ['post', 'GeT', 'PRI', 'HELLO', '']) {
        const { answers } = await exchange(
          `${method} ${API}/signout HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        )
        for (const { status } of answers) assert.ok(status >= 400 && status < 500, method)
      }
    },
  },
]
