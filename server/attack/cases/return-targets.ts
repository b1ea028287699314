import assert from 'node:assert/strict'
import { hasLoneSurrogate, honestReturnTargets, hostileReturnTargets } from '../return-targets.js'
import type { Answer } from '../exchange.js'
import { API, type Attack, type CaseDefinition, eachOf, postForm, postJson } from '../target.js'

/** Open redirects. Which targets are accepted may differ; where they lead may not. */
export const returnTargetAttacks: readonly CaseDefinition[] = [
  {
    name: 'no target of signout leads away, as JSON or as a form',
    async run(attack) {
      await eachOf(hostileReturnTargets(origins(attack)), async (target) => {
        const json = await postJson(attack, '/signout', { redirectTo: target })
        assertStays(attack, target, json, accepted(json, 200)?.redirectTo)
        // A form cannot carry a lone surrogate.
        if (hasLoneSurrogate(target)) return
        const form = await postForm(attack, '/signout', { redirectTo: target })
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
        const signout = await postJson(attack, '/signout', { redirectTo: target })
        // Sign-ins are rate-limited, so a sample of the rejected targets suffices.
        if (signout.status !== 200 && index % 8 !== 0) return
        const signin = await postJson(attack, '/signin', { redirectTo: target })
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
        const answer = await postJson(attack, '/signout', { redirectTo: target }, { cookie })
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
        const json = await postJson(attack, '/signout', { redirectTo: target })
        assert.equal(accepted(json, 200)?.redirectTo, url, shown(target))
        const form = await postForm(attack, '/signout', { redirectTo: target })
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

/** How many more times a component behind the service may decode an address. */
const READINGS = 3

/**
 * Why an address that was accepted leads away from the allowed origins, or `undefined` when it does
 * not: by the parser of browsers, as it is and as a proxy or a router would decode it again.
 */
export function leadsAway(
  address: string,
  own: string,
  allowed: readonly string[],
): string | undefined {
  const origins = new Set([own, ...allowed])
  if (!URL.canParse(address)) return 'is no absolute URL'
  const url = new URL(address)
  if (!origins.has(url.origin)) return `is on ${url.origin}`
  if (url.href !== address) return 'is not as the parser would write it'
  if (url.username !== '' || url.password !== '') return 'carries credentials'
  if (/[\u0000-\u0020\u007f-\uffff\\]/.test(address)) return 'has characters that readers differ on'
  let path = url.pathname
  for (let reading = 0; reading <= READINGS; reading += 1) {
    const again = URL.canParse(path, url.origin) ? new URL(path, url.origin) : undefined
    if (again?.origin !== url.origin)
      return `is ${again?.origin ?? 'nowhere'} in reading ${reading}`
    if (again.pathname.startsWith('//'))
      return `has the path ${again.pathname} in reading ${reading}`
    if (/[\r\n\t\0\\]/.test(path)) return `changes its shape in reading ${reading}`
    path = decodeOnce(path)
  }
  return undefined
}

/** Decodes like a lenient parser: invalid escapes stay, and only ASCII can change the target. */
function decodeOnce(path: string): string {
  return path.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
}
