import { setTimeout as delay } from 'node:timers/promises'
import { CookieJar } from 'tough-cookie'
import { expect } from 'vitest'
import { completeLogin } from '../support/oidc-login.js'
import { SESSION_COOKIE } from '../support/sign-in.js'
import { createUserAgent, type UserAgent } from '../support/user-agent.js'

/** A user whose sign-in was acknowledged by a 303 with a session cookie. */
interface Visitor {
  readonly login: string
  readonly cookie: string
}

/** Users who sign in and out during a fault, and the responses that they received. */
export interface Visits {
  /** Users whose sign-in was acknowledged and who did not sign out. */
  readonly signedIn: readonly Visitor[]
  /** Users whose sign-out was acknowledged with a 200. */
  readonly signedOut: readonly Visitor[]
  /** Checks that every rejection, such as `POST signin 503`, matches the pattern. */
  expectRefusals(pattern: RegExp): void
  /** Starts no new visits, and waits for those in progress. */
  stop(): Promise<void>
  /**
   * Checks every acknowledgement at `origin`: users who signed in are signed in, those who signed out are
   * not.
   */
  expectKept(origin: string): Promise<void>
}

/** Starts signing users in, and every second one out again, a few at a time. */
export function startVisits(origin: string, logins: readonly string[], atOnce = 2): Visits {
  const signedIn: Visitor[] = []
  const signedOut: Visitor[] = []
  const refusals: string[] = []
  let stopped = false

  const refuse = async (what: string, answer: Response | undefined): Promise<undefined> => {
    const missing = answer?.status === 503 && !answer.headers.get('retry-after')
    refusals.push(
      `${what} ${answer?.status ?? 'unreachable'}${missing ? ' without Retry-After' : ''}`,
    )
    await answer?.arrayBuffer().catch(() => undefined)
    // A rejected user retries a little later.
    await delay(20)
    return undefined
  }
  const enter = async (
    agent: UserAgent,
    login: string,
    cookieJar: CookieJar,
  ): Promise<Visitor | undefined> => {
    const started = await agent.post('/api/v1/auth/signin').catch(() => undefined)
    if (started?.status !== 200) return refuse('POST signin', started)
    const { redirectUrl } = (await started.json()) as { redirectUrl: string }
    const url = await completeLogin(redirectUrl, { login, cookieJar })
    const callback = await agent.fetch(url).catch(() => undefined)
    const secret = (await agent.cookies('/'))[SESSION_COOKIE]
    if (callback?.status !== 303 || !secret) return refuse('GET callback', callback)
    return { login, cookie: `${SESSION_COOKIE}=${secret}` }
  }
  const visitor = async (number: number): Promise<void> => {
    // A user who is already signed in at the provider is not prompted again, which is faster.
    const atProvider = new CookieJar()
    const login = logins[number % logins.length]!
    for (let visit = 0; !stopped; visit += 1) {
      const agent = createUserAgent(origin)
      const entered = await enter(agent, login, atProvider)
      if (!entered) continue
      if (visit % 2) {
        signedIn.push(entered)
        continue
      }
      const left = await agent.post('/api/v1/auth/signout').catch(() => undefined)
      if (left?.status !== 200) await refuse('POST signout', left)
      else signedOut.push(entered)
    }
  }
  const running = Array.from({ length: atOnce }, (_, number) => visitor(number))
  const said = async (at: string, cookie: string): Promise<unknown> =>
    (await fetch(`${at}/api/v1/auth/me`, { headers: { cookie } })).json()

  return {
    signedIn,
    signedOut,
    expectRefusals(pattern) {
      expect([...new Set(refusals)].filter((refusal) => !pattern.test(refusal))).toEqual([])
    },
    async stop() {
      stopped = true
      await Promise.all(running)
    },
    async expectKept(at) {
      // Without any visits the test would prove nothing.
      expect(signedIn.length).toBeGreaterThan(0)
      expect(signedOut.length).toBeGreaterThan(0)
      for (const { login, cookie } of signedIn) {
        expect(await said(at, cookie)).toMatchObject({
          authenticated: true,
          session: { subject: login },
        })
      }
      for (const { cookie } of signedOut) {
        expect(await said(at, cookie)).toEqual({ authenticated: false })
      }
    },
  }
}
