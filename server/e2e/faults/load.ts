import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Person } from './people.js'

/** Maximum delay until a change shows in the responses. */
const PATIENCE_MS = 20_000

/** A response of GET /me to a signed-in user. */
export type Answer =
  /** Who they are. */
  | 'right'
  /** 503 with Retry-After and the code of an unavailable store. */
  | 'unavailable'
  /** No response: the connection was refused or broke. */
  | 'unreachable'
  /** Anything else, as text: a broken promise. */
  | `wrong: ${string}`

/** One request and its answer; the instants are those of `performance.now()`. */
export interface Reading {
  readonly answer: Answer
  readonly began: number
  readonly ended: number
}

/** Clients that request GET /me continuously. */
export interface Load {
  readonly readings: readonly Reading[]
  count(answer: Answer): number
  /** Resolves after `times` more answers of this kind; rejects when one was wrong. */
  more(answer: Answer, times?: number): Promise<void>
  /** Stops the clients and checks that only these responses occurred. */
  finish(allowed: readonly Answer[]): Promise<void>
  stop(): Promise<void>
}

/** Sends one request with the cookie of `person`. */
export async function ask(origin: string, { cookie, ...person }: Person): Promise<Answer> {
  let response: Response
  let text: string
  try {
    response = await fetch(`${origin}/api/v1/auth/me`, { headers: { cookie } })
    text = await response.text()
  } catch {
    return 'unreachable'
  }
  const body = JSON.parse(text) as {
    code?: string
    authenticated?: boolean
    user?: { id: string }
    session?: { id: string; subject: string }
  }
  if (response.status === 503 && body.code === 'STORE_UNAVAILABLE') {
    return Number(response.headers.get('retry-after')) > 0
      ? 'unavailable'
      : 'wrong: 503 without Retry-After'
  }
  if (response.status !== 200) return `wrong: ${response.status} ${text}`
  if (body.authenticated !== true) return 'wrong: anonymous'
  const said = {
    userId: body.user?.id,
    subject: body.session?.subject,
    sessionId: body.session?.id,
  }
  return said.userId === person.userId &&
    said.subject === person.subject &&
    said.sessionId === person.sessionId
    ? 'right'
    : `wrong: ${text} is not ${JSON.stringify(person)}`
}

/** Starts clients that send requests without a pause, each for one user after another. */
export function startLoad(
  origins: string | readonly string[],
  people: readonly Person[],
  clients = 6,
): Load {
  const targets = typeof origins === 'string' ? [origins] : origins
  const readings: Reading[] = []
  let stopped = false
  const client = async (number: number): Promise<void> => {
    for (let turn = number; !stopped; turn += clients) {
      const began = performance.now()
      const answer = await ask(targets[turn % targets.length]!, people[turn % people.length]!)
      readings.push({ answer, began, ended: performance.now() })
      // A client with a Retry-After does not retry at once.
      if (answer !== 'right') await delay(10)
    }
  }
  const running = Array.from({ length: clients }, (_, number) => client(number))
  const load: Load = {
    readings,
    count: (answer) => readings.filter((reading) => reading.answer === answer).length,
    async more(answer, times = 1) {
      const wanted = load.count(answer) + times
      for (const deadline = performance.now() + PATIENCE_MS; ; await delay(10)) {
        const said = new Set(readings.map((reading) => reading.answer))
        expect([...said].filter((one) => one.startsWith('wrong'))).toEqual([])
        if (load.count(answer) >= wanted) return
        if (performance.now() > deadline) expect.fail(`No ${answer} among ${[...said].join()}`)
      }
    },
    async finish(allowed) {
      await load.stop()
      const others = readings.filter(({ answer }) => !allowed.includes(answer))
      expect([...new Set(others.map(({ answer }) => answer))]).toEqual([])
    },
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
  return load
}
