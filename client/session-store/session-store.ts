/**
 * The session as a store that any frontend framework can subscribe to. On a server it renders the
 * `initial` state that it was given.
 *
 * @module
 */
import type {
  AuthClient,
  AuthClientOptions,
  MeResponse,
  SigninInput,
  SignoutInput,
} from '../auth-api.js'
import { createAuthClient } from '../auth-client.js'
import { AuthClientError } from '../error.js'
import { LONGEST_TIMER_MS } from '../exchange.js'
import { createSharedQuestions } from '../shared-questions.js'
import { createTabs, currentPage, isHidden, onOccasion } from './page.js'
import {
  afterAnswer,
  afterFailure,
  LOADING,
  sessionIdOf,
  type SessionSnapshot,
  SIGNED_OUT,
} from './session-snapshot.js'

export type { SessionSnapshot }

/** Recheck interval for a session that has expired by the local clock but not at the service. */
const CLOCKS_DIFFER_MS = 60_000
/** Margin after `expiresAt`, so that the service has expired the session too. */
const AFTER_THE_END_MS = 1_000

/** Options of {@link createSessionStore}: those of the client, or the client itself. */
export interface SessionStoreOptions extends AuthClientOptions {
  /**
   * Pass `baseUrl` as well: it names the channel between tabs and is where forms are sent.
   * @default a client created from the other options
   */
  client?: AuthClient
  /** The response of `me` that the server rendered the page with. @default none: `loading` */
  initial?: MeResponse | undefined
  /** Minimum time between refreshes on focus or reconnect, in milliseconds. @default 5000 */
  minIntervalMs?: number
}

/** A store of the session. It refreshes while it has subscribers. Its functions need no `this`. */
export interface SessionStore {
  /** The client that the store uses. */
  readonly client: AuthClient
  /** URL of the service without a trailing slash; empty for the page's own origin. */
  readonly baseUrl: string
  /** The current state: the same object until its content changes. */
  readonly getSnapshot: () => SessionSnapshot
  /** The state that the server rendered with, for hydration. */
  readonly getServerSnapshot: () => SessionSnapshot
  /** Calls `listener` after every change. Returns the unsubscribe function. */
  readonly subscribe: (listener: () => void) => () => void
  /** Refreshes now. Never rejects: a failure is in `error` of the snapshot. */
  readonly refresh: () => Promise<SessionSnapshot>
  /**
   * Starts a sign-in and navigates to the provider. Without `redirectTo`, the user returns to the
   * current page.
   * @throws AuthClientError when the sign-in cannot start.
   */
  readonly redirectToSignIn: (input?: SigninInput) => Promise<void>
  /**
   * Starts the sign-in that a refused request requires, as `stepUp` of the client. Without
   * `redirectTo`, the user returns to the current page.
   * @throws AuthClientError when the sign-in cannot start.
   */
  readonly stepUp: (refusal: unknown, input?: SigninInput) => Promise<boolean>
  /**
   * Ends the session of this browser and notifies its other tabs.
   * @throws AuthClientError when it fails; the state then stays as it was.
   */
  readonly redirectToSignOut: (input?: SignoutInput) => Promise<void>
}

/**
 * Creates a store of the session that keeps itself current: it refreshes when the user returns to the
 * page, when the session expires and when another tab reports a change. While the service is
 * unavailable it backs off and keeps the last known state: an outage never signs a user out.
 *
 * @example
 * ```ts
 * const store = createSessionStore({ baseUrl: 'http://localhost:8094' })
 * const stop = store.subscribe(() => {
 *   const now = store.getSnapshot()
 *   document.title = now.status === 'signed-in' ? (now.user.displayName ?? 'You') : 'Welcome'
 * })
 * ```
 */
export function createSessionStore(options: SessionStoreOptions = {}): SessionStore {
  const { initial, minIntervalMs = 5_000, client = createAuthClient(options) } = options
  const baseUrl = (options.baseUrl ?? '').replace(/\/+$/, '')
  const rendered = initial ? afterAnswer(LOADING, initial) : LOADING
  const tabs = createTabs(`netscript-auth ${baseUrl}`)
  const share = createSharedQuestions<void>()
  const listeners = new Set<() => void>()
  let snapshot = rendered
  let stop = (): void => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Incremented by a sign-out. A response to a request from an earlier era is ignored. */
  let era = 0
  let asking = false
  let asked = false
  /** The session id that another tab reported since the last request. */
  let heard: unknown
  let failures = 0
  /** When the next refresh on focus may start; monotonic, so clock changes do not matter. */
  let notBefore = isAlive(initial) ? performance.now() + minIntervalMs : 0

  const ask = (): Promise<void> => share('', question)

  async function question(): Promise<void> {
    const [asOf, hearsay] = [era, heard !== undefined]
    ;[asking, asked, heard] = [true, true, undefined]
    clearTimeout(timer)
    notBefore = performance.now() + minIntervalMs
    const answer = await askClient()
    asking = false
    if (asOf !== era) {
      plan()
      return compare()
    }
    if (answer instanceof AuthClientError) return fail(answer)
    const [before, after] = [snapshot, afterAnswer(snapshot, answer)]
    failures = 0
    plan(after)
    const sessionId = sessionIdOf(after)
    // Don't echo: a change that another tab reported is already known to all tabs.
    if (sessionId !== undefined && sessionId !== sessionIdOf(before) && !hearsay) {
      tabs.tell(sessionId)
    }
    show(after)
    compare()
  }

  async function askClient(): Promise<MeResponse | AuthClientError> {
    try {
      return await client.me()
    } catch (cause) {
      if (cause instanceof AuthClientError) return cause
      return new AuthClientError('UNEXPECTED_RESPONSE', 'The client failed.', { cause })
    }
  }

  /** Refreshes when another tab reported a different session. */
  function compare(): void {
    if (heard === undefined || asking) return
    if (heard === sessionIdOf(snapshot)) heard = undefined
    else void ask()
  }

  function fail(error: AuthClientError): void {
    const delay = retryDelay(error, failures++)
    if (delay === undefined) plan()
    else wake(delay)
    notBefore = Math.max(notBefore, performance.now() + (error.retryAfterSeconds ?? 0) * 1_000)
    show(afterFailure(snapshot, error))
  }

  /** Schedules a refresh for the end of the session. */
  function plan(known = snapshot): void {
    if (known.status !== 'signed-in') return
    const left = Date.parse(known.session.expiresAt) - Date.now()
    if (left > 0) wake(left + AFTER_THE_END_MS)
    else if (!isHidden()) wake(CLOCKS_DIFFER_MS)
  }

  function wake(delay: number): void {
    clearTimeout(timer)
    if (listeners.size === 0) return
    timer = setTimeout(() => void (isWaiting() || ask()), Math.min(delay, LONGEST_TIMER_MS))
  }

  /** Don't poll a failing service from a hidden page; becoming visible triggers a refresh. */
  const isWaiting = (): boolean => failures > 0 && isHidden()

  function occasion(): void {
    if (isWaiting()) return
    const wait = notBefore - performance.now()
    if (wait > 0) wake(wait)
    else if (!asking) void ask()
  }

  function show(next: SessionSnapshot): void {
    if (next === snapshot) return
    snapshot = next
    for (const listener of [...listeners]) {
      try {
        listener()
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  function start(): void {
    const [stopOccasions, stopTabs] = [
      onOccasion(occasion),
      tabs.listen((sessionId) => {
        heard = sessionId
        compare()
      }),
    ]
    stop = () => {
      stopOccasions()
      stopTabs()
      clearTimeout(timer)
    }
    if (asked || performance.now() >= notBefore) occasion()
    else plan()
  }

  return {
    client,
    baseUrl,
    getSnapshot: () => snapshot,
    getServerSnapshot: () => rendered,
    subscribe(listener) {
      const entry = (): void => listener()
      listeners.add(entry)
      if (listeners.size === 1) start()
      return () => {
        if (listeners.delete(entry) && listeners.size === 0) stop()
      }
    },
    refresh: () => ask().then(() => snapshot),
    redirectToSignIn: (input) => client.redirectToSignIn({ ...currentPage(), ...input }),
    stepUp: (refusal, input) => client.stepUp(refusal, { ...currentPage(), ...input }),
    async redirectToSignOut(input) {
      try {
        await client.redirectToSignOut(input)
      } catch (error) {
        // The session may have ended even though the response was lost.
        void ask()
        throw error
      }
      era += 1
      failures = 0
      clearTimeout(timer)
      tabs.tell('')
      show(SIGNED_OUT)
    },
  }
}

const isAlive = (me: MeResponse | undefined): boolean =>
  me !== undefined && (!me.authenticated || Date.parse(me.session.expiresAt) > Date.now())

const FIRST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * Delay before a retry, in milliseconds: exponential back-off from one second to one minute, with up
 * to 50% jitter so that pages do not retry in step after an outage. Never earlier than
 * `Retry-After`. Undefined for errors that a retry cannot fix.
 *
 * @param failures Number of consecutive failures before this one.
 */
function retryDelay(error: AuthClientError, failures: number): number | undefined {
  const { status, retryAfterSeconds = 0 } = error
  if (status !== 0 && status !== 408 && status !== 429 && status < 500) return undefined
  const spread = Math.random() / 2
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (1 - spread)
  return Math.max(backOff, retryAfterSeconds * 1_000 * (1 + spread))
}
