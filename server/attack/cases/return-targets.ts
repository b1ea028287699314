import assert from 'node:assert/strict'
import type { Answer } from '../send.js'
import { eachOf } from '../person.js'
import { leadsAway } from '../leads-away.js'
import { hasLoneSurrogate, hostileReturnTargets, honestReturnTargets } from '../return-targets.js'
import { API, type Attack, type CaseDefinition } from '../target.js'

/** Open redirects. Which targets are accepted may differ; where they lead may not. */
export const returnTargetAttacks: readonly CaseDefinition[] = [
  {
    name: 'no target of signout leads away, as JSON or as a form',
    async run(attack) {
      await eachOf(hostileReturnTargets(origins(attack)), async (target) => {
        const json = await asJson(attack, '/signout', target)
        assertStays(attack, target, json, accepted(json, 200)?.redirectTo)
        // A form cannot carry a lone surrogate.
        if (hasLoneSurrogate(target)) return
        const form = await asForm(attack, '/signout', target)
        assertStays(attack, target, form, form.status === 303 ? form.headers.location : undefined)
        assert.equal(form.status === 303, json.status === 200, `${shown(target)}: forms differ`)
      })
    },
  },
  {
    name: 'signin accepts no target that signout rejects',
    needs: ['interactive'],
    async run(attack) {
      const targets = [...hostileReturnTargets(origins(attack)).entries()]
      await eachOf(targets, async ([index, target]) => {
        const signout = await asJson(attack, '/signout', target)
        // Sign-ins are rate-limited, so a sample of the rejected targets suffices.
        if (signout.status !== 200 && index % 8 !== 0) return
        const signin = await asJson(attack, '/signin', target)
        assert.equal(signin.status, signout.status, shown(target))
        if (signin.status !== 200) assert.deepEqual(signin.setCookies, [])
      })
    },
  },
  {
    name: 'a target that is refused ends no session',
    needs: ['session'],
    async run(attack) {
      const { cookie, userId } = await attack.person()
      for (const target of ['//evil.example', 'javascript:1', '/\\evil.example', '']) {
        const answer = await attack.send(`${API}/signout`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', cookie },
          body: JSON.stringify({ redirectTo: target }),
        })
        assert.equal(answer.status, 422)
        assert.deepEqual(answer.setCookies, [])
      }
      assert.equal(await attack.whoIs(cookie), userId)
    },
  },
  {
    name: 'valid targets are accepted unchanged',
    async run(attack) {
      for (const [target, url] of honestReturnTargets(origins(attack))) {
        const json = await asJson(attack, '/signout', target)
        assert.equal(accepted(json, 200)?.redirectTo, url, shown(target))
        const form = await asForm(attack, '/signout', target)
        assert.equal(form.headers.location, url, shown(target))
      }
    },
  },
  {
    name: 'no parameter of a GET is a return target',
    async run({ send }) {
      for (const name of [
        'redirectTo',
        'returnTo',
        'next',
        'url',
        'rd',
        'redirect',
        'success_url',
      ]) {
        const query = `${name}=${encodeURIComponent('https://evil.example/')}`
        for (const path of [`/?${query}`, `${API}/callback?state=x&${query}`, `/docs?${query}`]) {
          const answer = await send(path, { headers: { accept: 'text/html' } })
          assert.ok(!/evil/.test(answer.headers.location ?? ''), path)
          assert.ok(!answer.text.includes('evil.example'), path)
        }
      }
    },
  },
]

function origins({ origin, target }: Attack): { own: string; allowed: readonly string[] } {
  return { own: origin, allowed: target.allowedOrigins ?? [] }
}

function asJson({ send }: Attack, route: string, redirectTo: string): Promise<Answer> {
  return send(API + route, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirectTo }),
  })
}

function asForm({ send }: Attack, route: string, redirectTo: string): Promise<Answer> {
  return send(API + route, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
    body: new URLSearchParams({ redirectTo }).toString(),
  })
}

function accepted(answer: Answer, status: number): { redirectTo?: string } | undefined {
  return answer.status === status ? (answer.json() as { redirectTo?: string }) : undefined
}

function assertStays(
  attack: Attack,
  target: string,
  answer: Answer,
  address: string | undefined,
): void {
  const { own, allowed } = origins(attack)
  if (address === undefined) {
    assert.equal(answer.status, 422, `${shown(target)} answered ${answer.status}: ${answer.text}`)
    return
  }
  const away = leadsAway(address, own, allowed)
  assert.equal(away, undefined, `${shown(target)} became ${address}, which ${away}`)
}

const shown = (target: string): string => JSON.stringify(target.slice(0, 200))
