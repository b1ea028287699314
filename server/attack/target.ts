import assert from 'node:assert/strict'
import { type Answer, type AttackRequest, type Exchange, requestBytes } from './exchange.js'

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

/** Signs a user in and determines which of their cookies matter. */
export async function findPerson({ target, send, whoIs }: Attack): Promise<SignedInUser> {
  assert.ok(target.signIn, 'the target cannot sign a user in')
  const cookie = await target.signIn()
  const answer = await send(`${API}/me`, { headers: { cookie } })
  const me = answer.json() as { authenticated: boolean; user: Id; session: Id }
  assert.ok(me.authenticated, 'the cookie of the target signs no user in')
  const pairs = readPairs(cookie)
  const credentials = []
  for (const pair of pairs) {
    const others = pairs.filter((other) => other !== pair)
    if ((await whoIs(writePairs(others) || undefined)) === undefined) credentials.push(pair)
  }
  assert.notEqual(credentials.length, 0, 'no cookie of the user matters')
  return { cookie, userId: me.user.id, sessionId: me.session.id, credentials }
}

interface Id {
  id: string
}

interface Pair {
  readonly name: string
  readonly value: string
}

/** The pairs of a `Cookie` header. */
export function readPairs(header: string): Pair[] {
  return header.split('; ').map((pair) => {
    const equals = pair.indexOf('=')
    return { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
  })
}

/** A `Cookie` header of pairs. */
function writePairs(pairs: readonly Pair[]): string {
  return pairs.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** A user's `Cookie` header with another value for one of the cookies. */
export function withValue({ cookie }: SignedInUser, name: string, value: string): string {
  return writePairs(readPairs(cookie).map((pair) => (pair.name === name ? { name, value } : pair)))
}

/** Runs many at once, a few at a time. */
export async function eachOf<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Posts JSON to a route. */
export function postJson(
  { send }: Pick<Attack, 'send'>,
  route: string,
  body: unknown,
  headers: AttackRequest['headers'] = {},
): Promise<Answer> {
  return send(API + route, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

/** Posts a form to a route, as a page of the service does. */
export function postForm(
  { send }: Pick<Attack, 'send'>,
  route: string,
  fields: Record<string, string>,
): Promise<Answer> {
  return send(API + route, {
    method: 'POST',
    headers: { 'content-type': FORM_TYPE, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** Writes a request to a connection of its own. `headers` are written line for line as given. */
export function write(
  { exchange, origin }: Pick<Attack, 'exchange' | 'origin'>,
  startLine: string,
  headers: readonly string[] = [],
  body = '',
): Promise<Exchange> {
  const { host } = new URL(origin)
  return exchange(requestBytes(startLine, [`Host: ${host}`, 'Connection: close', ...headers], body))
}
