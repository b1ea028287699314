import { type Answer, members, type HostileProvider, type Tamper } from './hostile-provider.js'
import { readToken, sign, type TokenParts } from './signing.js'

/** A marker in provider texts that must not appear in responses or in the log. */
export const MARKER = 'hostile-marker-7f3a91'

/** Short enough that a parser quotes it completely. */
export const SHORT_SECRET = 'tok-7f3a91c2e8d4b5'

/** Changes the JSON of an answer. */
export const json =
  (change: (body: Record<string, unknown>, provider: HostileProvider) => unknown): Tamper =>
  async (answer, provider) => ({
    ...answer,
    headers: { ...answer.headers, 'content-type': 'application/json' },
    body: JSON.stringify(await change(members(answer), provider)),
  })

/** Sets members of a JSON response; `undefined` removes one. */
export const withMembers = (more: Record<string, unknown>): Tamper =>
  json((body) => ({ ...body, ...more }))

/** Changes the text of an answer, for JSON that no object can express. */
export const withText =
  (pattern: RegExp, replacement: string): Tamper =>
  (answer) => ({ ...answer, body: String(answer.body).replace(pattern, () => replacement) })

/** Puts another id_token into the answer of the token endpoint. */
export const withIdToken = (
  forge: (token: TokenParts, provider: HostileProvider) => string | Promise<string>,
): Tamper =>
  json(async (body, provider) => {
    if (typeof body.id_token !== 'string') throw new Error(`No id_token: ${JSON.stringify(body)}`)
    return { ...body, id_token: await forge(readToken(body.id_token), provider) }
  })

/** Changes the claims of the id_token and signs it with the right key, as a real issuer would. */
export const withClaims = (
  change: (claims: Record<string, unknown>) => Record<string, unknown> | string,
): Tamper =>
  withIdToken(({ header, claims }, { key }) => sign(header, change(claims), key.privateKey))

/** Changes the parameters that the browser takes back to the callback. */
export const withParameters =
  (change: (parameters: URLSearchParams) => void): Tamper =>
  (answer) => {
    const url = new URL(String(answer.headers.location))
    change(url.searchParams)
    return { ...answer, headers: { ...answer.headers, location: url.href } }
  }

/** Replaces the response. */
export const instead =
  (status: number, body: Answer['body'], headers: Answer['headers'] = {}): Tamper =>
  () => ({ status, body, headers: { 'content-type': 'application/json', ...headers } })

/** Redirects to itself forever. */
export const redirectLoop =
  (path: string): Tamper =>
  (_answer, { issuer }) => ({ status: 302, body: '', headers: { location: `${issuer}${path}` } })

/** Accepts the request and never responds. */
export const silence: Tamper = instead(200, () => undefined)

/** Starts a response that never ends. */
export const endless: Tamper = instead(200, (write) => write('{"'))

/** Two mebibytes of JSON that would be valid. */
export const huge: Tamper = json((body) => ({ ...body, padding: 'x'.repeat(2 * 1024 * 1024) }))

/** Nested lists, too deep for a recursive parser. */
export const DEEP = `${'['.repeat(200_000)}${']'.repeat(200_000)}`

/** Markup and control characters in an error text, which might be shown or logged. */
export const VENOM = `"><script>alert('${MARKER}')</script>\u0000\u001b[31m\r\nSet-Cookie: ${MARKER}=1`
