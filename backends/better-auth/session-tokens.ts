import type { BetterAuthInstance } from './context.js'
import { databaseCall } from './database-call.js'
import { findSession } from './sessions.js'

/**
 * better-auth identifies a session by its token, in responses and in requests that end one. Callers
 * see the session's public id instead: the value of the HttpOnly cookie must not reach a script, a
 * log or a cache.
 */

/** Cookies of a request and its response. Their tokens may appear in the body. */
interface TokenCookies {
  /** The `Cookie` header of the request. */
  readonly sent: string
  /** The `Set-Cookie` headers of the response. */
  readonly set: readonly string[]
}

/** Replaces each session token in a body with the session's public id. Returns JSON. */
export async function withoutTokens(
  auth: BetterAuthInstance,
  body: unknown,
  cookies: TokenCookies,
): Promise<string> {
  let text = JSON.stringify(body, (_name, value: unknown) =>
    isSession(value) ? { ...value, token: value.id } : value,
  )
  // A sign-in returns the token of the new session, but not its id.
  for (const token of await tokensIn(auth, cookies)) {
    if (!text.includes(inJson(token))) continue
    const id = await idOf(auth, token)
    if (id !== undefined) text = text.replaceAll(inJson(token), inJson(id))
  }
  return text
}

/** Replaces the public session id in a request body with the token that better-auth expects. */
export async function withTokens(
  auth: BetterAuthInstance,
  path: string,
  body: unknown,
): Promise<unknown> {
  const name = path === '/revoke-session' ? 'token' : 'sessionToken'
  if (typeof body !== 'object' || body === null || !(name in body)) return body
  const id = (body as Record<string, unknown>)[name]
  const session = typeof id === 'string' ? await findSession(auth, id) : null
  return session ? { ...body, [name]: session.token } : body
}

/** Whether a value is a session row, of any user. */
function isSession(value: unknown): value is { id: string; token: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['id', 'token', 'userId', 'expiresAt'].every(
      (name) => typeof (value as Record<string, unknown>)[name] === 'string',
    )
  )
}

async function tokensIn(auth: BetterAuthInstance, { sent, set }: TokenCookies): Promise<string[]> {
  const { authCookies } = await auth.$context
  const pairs = [...sent.split(';'), ...set.map((cookie) => cookie.split(';', 1)[0] ?? '')]
  // Plugins keep further sessions in cookies that share the prefix.
  return pairs
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(authCookies.sessionToken.name))
    .map((pair) => pair.slice(pair.indexOf('=') + 1))
    .map((value) => decode(value).split('.', 1)[0] ?? '')
    .filter((token) => token !== '')
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return ''
  }
}

async function idOf(auth: BetterAuthInstance, token: string): Promise<string | undefined> {
  const { adapter } = await auth.$context
  const row = await databaseCall(() =>
    adapter.findOne<{ id: string }>({
      model: 'session',
      where: [{ field: 'token', value: token }],
    }),
  )
  return row?.id
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)
