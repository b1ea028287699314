/**
 * An attack suite for your own deployment: what a hostile client or page can do to the HTTP surface, as
 * named cases that throw when an attack succeeds. It needs no test runner.
 *
 * @example
 * ```ts
 * import { attackSuite } from '@netscript/plugin-auth/attack'
 *
 * const suite = attackSuite({ baseUrl: 'https://auth.example.com', interactive: true })
 * for (const one of suite.cases) if (!one.skipped) await one.run()
 * suite.close()
 * ```
 *
 * @module
 */
import assert from 'node:assert/strict'
import { bodyAttacks } from './cases/bodies.js'
import { cookieAttacks } from './cases/cookies.js'
import { crossSiteAttacks } from './cases/cross-site.js'
import { headerAttacks, methodAttacks } from './cases/semantics.js'
import { hostAttacks } from './cases/hosts.js'
import { identityAttacks, sessionEndAttacks } from './cases/identity.js'
import { injectionAttacks } from './cases/injection.js'
import { pathAttacks } from './cases/paths.js'
import { returnTargetAttacks } from './cases/return-targets.js'
import { sizeAttacks, smugglingAttacks } from './cases/framing.js'
import { transactionAttacks } from './cases/transactions.js'
import {
  type Answer,
  assertAnswerRules,
  assertNothingInside,
  createSender,
  exchange,
  type Sender,
} from './exchange.js'
import {
  API,
  type Attack,
  type AttackCase,
  type AttackTarget,
  findPerson,
  type Need,
} from './target.js'

export type { AttackCase, AttackTarget } from './target.js'

const GROUPS = {
  headers: headerAttacks,
  methods: methodAttacks,
  paths: pathAttacks,
  hosts: hostAttacks,
  'cross-site': crossSiteAttacks,
  cookies: cookieAttacks,
  transactions: transactionAttacks,
  identity: identityAttacks,
  injection: injectionAttacks,
  bodies: bodyAttacks,
  sizes: sizeAttacks,
  smuggling: smugglingAttacks,
  targets: returnTargetAttacks,
  // Last, because it ends the session of a cookie that was passed in.
  'sign-out': sessionEndAttacks,
} as const

/**
 * What a hostile client or web page can do to the HTTP surface of a deployment, as a table of cases. They
 * need no test framework; run them sequentially. `close` closes the connections.
 */
export function attackSuite(target: AttackTarget): {
  readonly cases: readonly AttackCase[]
  readonly close: () => void
} {
  let running: { attack: Attack; sender: Sender } | undefined
  const start = (): Attack => (running ??= createAttack(target)).attack
  const cases = Object.entries(GROUPS).flatMap(([group, definitions]) =>
    definitions.map(({ name, needs = [], run }): AttackCase => {
      const skipped = needs.map((need) => lacks(target, need)).find(Boolean)
      return {
        group,
        name,
        ...(skipped !== undefined && { skipped }),
        run: () => run(start()),
      }
    }),
  )
  return { cases, close: () => running?.sender.close() }
}

function lacks(target: AttackTarget, need: Need): string | undefined {
  if (need === 'session' && !target.signIn) return 'needs a signed-in user'
  if (need === 'interactive' && !target.interactive) return 'needs a redirect flow'
  return undefined
}

function createAttack(target: AttackTarget): { attack: Attack; sender: Sender } {
  const { origin } = new URL(target.baseUrl)
  const sender = createSender(origin)
  const isHttps = origin.startsWith('https:')
  const patient = patiently(sender, target)
  const send: Attack['send'] = async (path, request = {}) => {
    const answer = await patient(path, request)
    const where = `${request.method ?? 'GET'} ${path.slice(0, 200)}`
    if (path.startsWith(`${API}/`)) assertAnswerRules(answer, where, isHttps)
    else assertNothingInside(answer.status < 400 ? '' : answer.text, where)
    return answer
  }
  let person: ReturnType<Attack['person']> | undefined
  const attack: Attack = {
    target,
    origin,
    send,
    exchange: (bytes) => exchange(origin, bytes),
    person: () => (person ??= findPerson(attack)),
    anotherPerson: () => findPerson(attack),
    async whoIs(cookie) {
      const answer = await send(`${API}/me`, cookie === undefined ? {} : { headers: { cookie } })
      assert.equal(answer.status, 200, `GET /me answered ${answer.status}`)
      const me = answer.json() as { authenticated: boolean; user?: { id: string } }
      if (!me.authenticated) assert.equal(answer.text, '{"authenticated":false}')
      return me.user?.id
    },
  }
  return { attack, sender }
}

const MAX_WAIT_SECONDS = 120

/** Obeys rate limits: retries a request after its Retry-After. */
function patiently(sender: Sender, { onWait }: AttackTarget): Sender['send'] {
  return async (path, request): Promise<Answer> => {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await sender.send(path, request)
      const seconds = Number(answer.headers['retry-after'])
      if (answer.status !== 429 || attempt === 10 || !(seconds <= MAX_WAIT_SECONDS)) return answer
      onWait?.(seconds)
      await new Promise((resolve) => setTimeout(resolve, Math.max(seconds, 1) * 1000))
    }
  }
}
