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
import { currentPage } from './current-page.js'
import { isHidden, onOccasion } from './occasions.js'
import { retryDelay } from './retry-delay.js'
import {
  afterAnswer,
  afterFailure,
  LOADING,
  sessionIdOf,
  type SessionSnapshot,
  SIGNED_OUT,
} from './session-snapshot.js'
import { createTabs } from './tabs.js'

/** When the service says that a session is still good whose end has come by our clock. */
const CLOCKS_DIFFER_MS = 60_000
/** Asking at the very instant could still find the session alive. */
const AFTER_THE_END_MS = 1_000

/** Options of {@link createSessionStore}: those of the client, or the client itself. */
export interface SessionStoreOptions extends AuthClientOptions {
  /**
   * Default: one made from the other options. Give `baseUrl` as well: it names the channel of the tabs
   * and is where forms are sent.
   */
  client?: AuthClient
  /** What `me` answered when the server rendered the page. Default: nothing is known yet. */
  initial?: MeResponse | undefined
  /** How often the page may ask when somebody returns to it, in milliseconds. Default: 5 000. */
  minIntervalMs?: number
}

/** Who is signed in. Works while somebody subscribes. Its functions can be handed on by themselves. */
export interface SessionStore {
  /** For everything else that the service can do. */
  readonly client: AuthClient
  /** Where the service is, without a slash at the end; empty for the page's own origin. */
  readonly baseUrl: string
  /** What is known: the same object until something changes that a reader can see. */
  readonly getSnapshot: () => SessionSnapshot
  /** What the server rendered with. */
  readonly getServerSnapshot: () => SessionSnapshot
  /** Calls `listener` after every change. Returns how to stop; the last one to leave stops it all. */
  readonly subscribe: (listener: () => void) => () => void
  /** Asks the service now. Never rejects: what failed is in `error` of the snapshot. */
  readonly refresh: () => Promise<SessionSnapshot>
  /**
   * Leaves for the provider. Default return address: this page.
   * @throws AuthClientError when that cannot be started.
   */
  readonly redirectToSignIn: (input?: SigninInput) => Promise<void>
  /**
   * Ends the session of this browser, in all tabs.
   * @throws AuthClientError when it did not; whoever was signed in is shown as signed in.
   */
  readonly redirectToSignOut: (input?: SignoutInput) => Promise<void>
}

/**
 * Keeps what the service says of who is signed in, and keeps it true: it asks again when somebody
 * returns to the page, when the session ends, and when another tab says that something changed.
 * While the service is away it backs off, and nobody is taken for signed out.
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
  /** What was asked before a sign-out is of another era, and says nothing. */
  let era = 0
  let asking = false
  let asked = false
  /** What another tab said of the session, unless somebody was asked since. */
  let heard: unknown
  let failures = 0
  /** The earliest that an occasion may ask, on the clock that nobody sets. */
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
    // What another tab told us it has told the others, too.
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

  /** Asks when another tab knows of another session. */
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

  /** Asks again when the session has ended. */
  function plan(known = snapshot): void {
    if (known.status !== 'signed-in') return
    const left = Date.parse(known.session.expiresAt) - Date.now()
    if (left > 0) wake(left + AFTER_THE_END_MS)
    else if (!isHidden()) wake(CLOCKS_DIFFER_MS)
  }

  /** There is one timer, and it asks. */
  function wake(delay: number): void {
    clearTimeout(timer)
    if (listeners.size === 0) return
    timer = setTimeout(() => void (isWaiting() || ask()), Math.min(delay, LONGEST_TIMER_MS))
  }

  /** Nobody needs an answer while the service is away and the page hidden; returning is an occasion. */
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
    async redirectToSignOut(input) {
      try {
        await client.redirectToSignOut(input)
      } catch (error) {
        // Perhaps it ended all the same, and only the answer was lost.
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
