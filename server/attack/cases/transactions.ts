import assert from 'node:assert/strict'
import type { Answer } from '../exchange.js'
import { API, type Attack, type CaseDefinition, postJson, withValue } from '../target.js'

/** An open sign-in, as the browser holds it. */
interface Flow {
  readonly state: string
  readonly name: string
  readonly secret: string
  /** Path and query of the redirect URI, ready for more parameters. */
  readonly callback: string
}

/**
 * Attacks on the binding of a sign-in to its browser. Any client can forge a callback with a provider
 * error, so these cases need no cooperating provider.
 */
export const transactionAttacks: readonly CaseDefinition[] = [
  {
    name: 'a state without its cookie is rejected (login CSRF)',
    needs: ['interactive'],
    async run(attack) {
      const flow = await open(attack)
      for (const cookie of [undefined, `${flow.name}=`, `${flow.name}=${flow.state}`, 'a=b']) {
        await assertLost(await answer(attack, flow, cookie))
      }
      await assertTaken(await answer(attack, flow, `${flow.name}=${flow.secret}`))
    },
  },
  {
    name: 'a transaction works once',
    needs: ['interactive'],
    async run(attack) {
      const flow = await open(attack)
      const cookie = `${flow.name}=${flow.secret}`
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => answer(attack, flow, cookie)),
      )
      const taken = answers.filter(({ status }) => status !== 400)
      assert.equal(taken.length, 1)
      await assertLost(await answer(attack, flow, cookie))
    },
  },
  {
    name: 'the cookie of one flow does not complete another',
    needs: ['interactive'],
    async run(attack) {
      const [one, two] = [await open(attack), await open(attack)]
      for (const cookie of [
        `${two.name}=${two.secret}`,
        `${one.name}=${two.secret}`,
        `${one.name}=${two.secret}; ${two.name}=${one.secret}`,
      ]) {
        await assertLost(await answer(attack, one, cookie))
      }
      await assertTaken(await answer(attack, one, `${one.name}=${one.secret}`))
      await assertTaken(await answer(attack, two, `${two.name}=${two.secret}`))
    },
  },
  {
    name: 'two transaction cookies are both ignored',
    needs: ['interactive'],
    async run(attack) {
      const flow = await open(attack)
      const pair = `${flow.name}=${flow.secret}`
      for (const other of ['x', flow.secret, '']) {
        const planted = `${flow.name}=${other}`
        await assertLost(await answer(attack, flow, `${pair}; ${planted}`))
        await assertLost(await answer(attack, flow, `${planted}; ${pair}`))
      }
      await assertTaken(await answer(attack, flow, pair))
    },
  },
  {
    name: 'every byte of the transaction cookie matters',
    needs: ['interactive'],
    async run(attack) {
      const flow = await open(attack)
      const { secret, name } = flow
      for (let at = 0; at < secret.length; at += 1) {
        const other = secret[at] === 'A' ? 'B' : 'A'
        const tampered = secret.slice(0, at) + other + secret.slice(at + 1)
        await assertLost(await answer(attack, flow, `${name}=${tampered}`))
      }
      for (const tampered of [`${secret}=`, `${secret}A`, secret.slice(1), `"${secret}"`]) {
        await assertLost(await answer(attack, flow, `${name}=${tampered}`))
      }
      await assertTaken(await answer(attack, flow, `${name}=${secret}`))
    },
  },
  {
    name: 'an unknown state consumes no transaction',
    needs: ['interactive'],
    async run(attack) {
      const flow = await open(attack)
      const cookie = `${flow.name}=${flow.secret}`
      const { state } = flow
      const states = [`${state}x`, state.slice(1), state.toLowerCase(), ` ${state}`, `${state}%00`]
      for (const other of states.filter((candidate) => candidate !== state)) {
        await assertLost(await answer(attack, { ...flow, state: other }, cookie))
      }
      await assertTaken(await answer(attack, flow, cookie))
    },
  },
  {
    name: 'a transaction cookie is no session, nor a session one',
    needs: ['interactive', 'session'],
    async run(attack) {
      const somebody = await attack.person()
      const flow = await open(attack)
      for (const { name, value } of somebody.credentials) {
        for (const forged of [flow.secret, flow.state, `${flow.secret}.${flow.state}`]) {
          assert.equal(await attack.whoIs(withValue(somebody, name, forged)), undefined)
        }
        for (const forged of [value, value.split('.')[0] ?? '']) {
          await assertLost(await answer(attack, flow, `${flow.name}=${forged}`))
        }
      }
      await assertTaken(await answer(attack, flow, `${flow.name}=${flow.secret}`))
    },
  },
  {
    name: 'a flood of planted cookies does not lock users out',
    needs: ['interactive'],
    async run(attack) {
      const first = await open(attack)
      const prefix = first.name.slice(0, -8)
      const crowd = Array.from({ length: 60 }, (_, index) => `${prefix}${10_000_000 + index}=x`)
      const flow = await open(attack, crowd.join('; '))
      await assertTaken(await answer(attack, flow, `${flow.name}=${flow.secret}`))
      await assertTaken(await answer(attack, first, `${first.name}=${first.secret}`))
    },
  },
]

async function open(attack: Attack, cookie?: string): Promise<Flow> {
  const started = await postJson(attack, '/signin', {}, cookie === undefined ? {} : { cookie })
  assert.equal(started.status, 200, started.text)
  const { state, redirectUrl } = started.json() as { state: string; redirectUrl: string }
  const [pair = ''] = started.setCookies.at(-1)?.split(';', 1) ?? []
  const { pathname, search } = new URL(
    new URL(redirectUrl).searchParams.get('redirect_uri') ?? `http://x${API}/callback`,
  )
  return {
    state,
    name: pair.slice(0, pair.indexOf('=')),
    secret: pair.slice(pair.indexOf('=') + 1),
    callback: `${pathname}${search}${search === '' ? '?' : '&'}`,
  }
}

function answer({ send }: Attack, flow: Flow, cookie: string | undefined): Promise<Answer> {
  return send(`${flow.callback}error=access_denied&state=${encodeURI(flow.state)}`, {
    headers: cookie === undefined ? {} : { cookie },
  })
}

async function assertLost(refused: Answer): Promise<void> {
  assert.equal(refused.status, 400, refused.text)
  assert.match((refused.json() as { code: string }).code, /^AUTH_TRANSACTION_/)
}

/**
 * The error response was accepted, or its issuer was missing (RFC 9207); either way the transaction was
 * found.
 */
async function assertTaken(taken: Answer): Promise<void> {
  assert.ok([403, 502].includes(taken.status), `answered ${taken.status}: ${taken.text}`)
  for (const cookie of taken.setCookies) assert.match(cookie, /Max-Age=0/)
}
