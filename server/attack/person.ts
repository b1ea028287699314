import assert from 'node:assert/strict'
import { API, type Attack, type SignedInUser } from './target.js'

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
export function writePairs(pairs: readonly Pair[]): string {
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
