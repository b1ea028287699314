import type { Answer, AttackRequest } from './send.js'
import type { Exchange } from './raw-exchange.js'

/** A deployment to attack: any base URL, any backend. */
export interface AttackTarget {
  /** The public address, such as `https://auth.example.com`. Its origin is the service's own. */
  readonly baseUrl: string
  /**
   * Signs a new user in and returns the `Cookie` header of their browser. Cases that end a session or
   * compare two users call it again. When absent, cases that need a signed-in user are skipped.
   */
  readonly signIn?: () => Promise<string>
  /** Other origins that the deployment allows as return targets. Default: none. */
  readonly allowedOrigins?: readonly string[]
  /** Whether the backend has a redirect flow; `GET /describe` says so. */
  readonly interactive: boolean
  /** Called before waiting for a `Retry-After`. Default: none. */
  readonly onWait?: (seconds: number) => void
}

/** What a case may need from its target. */
export type Need = 'session' | 'interactive'

/** One attack. `run` rejects when the deployment is vulnerable. */
export interface AttackCase {
  /** Its topic, in one word. */
  readonly group: string
  /** The property it checks, as a sentence; unique within its group. */
  readonly name: string
  /** Why it is skipped for this target; absent when it runs. */
  readonly skipped?: string
  /** Resolves when the attack fails, rejects when it succeeds. */
  readonly run: () => Promise<void>
}

/** A case that is not yet bound to a target. */
export interface CaseDefinition {
  readonly name: string
  readonly needs?: readonly Need[]
  readonly run: (attack: Attack) => Promise<void>
}

/** A user who is signed in. */
export interface SignedInUser {
  /** The whole `Cookie` header. */
  readonly cookie: string
  /** The user id, as in `GET /me`. */
  readonly userId: string
  /** The public id of the session. */
  readonly sessionId: string
  /** The cookies without which they would not be signed in. */
  readonly credentials: readonly { readonly name: string; readonly value: string }[]
}

/** A target with everything that a case needs to attack it. */
export interface Attack {
  readonly target: AttackTarget
  readonly origin: string
  /** Sends a request and checks the rules that hold for every response. */
  readonly send: (path: string, request?: AttackRequest) => Promise<Answer>
  /** Writes bytes to a new connection and reads until the server closes it. */
  readonly exchange: (bytes: string | Buffer) => Promise<Exchange>
  /** The same user for every case; no case may end their session. */
  readonly person: () => Promise<SignedInUser>
  /** A new sign-in, if the target supports it. */
  readonly anotherPerson: () => Promise<SignedInUser>
  /** The user id that `GET /me` returns for a `Cookie` header, or `undefined` when anonymous. */
  readonly whoIs: (cookie: string | undefined) => Promise<string | undefined>
}

/** The prefix of the routes. */
export const API = '/api/v1/auth'

/** A host of the attacker; the name is reserved and resolves nowhere (RFC 2606). */
export const EVIL = 'evil.example'
