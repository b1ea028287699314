import type { IncomingMessage, ServerResponse } from 'node:http'
import { AuthError, isAuthError } from '@netscript/plugin-auth-core'
import {
  announcesBody,
  BODY_LIMIT,
  BodyConsumedError,
  clientNetworks,
  codeOf,
  formFields,
  isMisreadJson,
  isPlainObject,
  isPrefetch,
  originForm,
  type ReturnToPolicy,
} from '@netscript/plugin-auth-core/internal'
import type { BetterAuthInstance } from './context.js'
import { databaseError } from './database-call.js'
import { CLIENT_ADDRESS_HEADER } from './instance.js'
import { assertReturnTargets, mayLeadTo, redirectRefused, redirectsIn } from './return-targets.js'
import type { RouteFinder } from './routes.js'
import { withoutTokens, withTokens } from './session-tokens.js'

/** A Node request handler; Express accepts it directly. */
type NodeHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>

/** Options of {@link createNodeHandler}. */
interface NodeHandlerOptions {
  readonly auth: BetterAuthInstance
  readonly basePath: string
  /** The public origin. */
  readonly origin: string
  readonly returnTo: ReturnToPolicy
  readonly findRoute: RouteFinder
}

/**
 * better-auth's own routes for Node. Client address and public origin come from the service;
 * request headers about them are ignored. A redirect that violates the return-target policy is
 * blocked in the request and in the response, and no body contains a session token.
 */
export function createNodeHandler(options: NodeHandlerOptions): NodeHandler {
  return async (req, res) => {
    // Links in e-mails and provider callbacks are single use.
    if (isPrefetch(req.headers))
      return void res.writeHead(503, { 'cache-control': 'no-store' }).end()
    const request = await toRequest(options, req).catch((error: unknown) => {
      // The rest of an oversized body is not read.
      if (codeOf(error) === 'PAYLOAD_TOO_LARGE') res.setHeader('connection', 'close')
      throw error
    })
    const response = await passOn(options.auth, request)
    const body = await checkedBody(options, request, response)
    for (const [name, value] of response.headers) {
      if (name !== 'set-cookie' && name !== 'content-length') res.setHeader(name, value)
    }
    for (const cookie of response.headers.getSetCookie()) res.appendHeader('set-cookie', cookie)
    res.statusCode = response.status
    if (!isFormOfPage(request) || response.status === 302) return void res.end(body)
    // better-auth responds to forms with JSON, which a browser would display.
    res.removeHeader('content-type')
    res.writeHead(303, { location: pageAfter(options.returnTo, response, body) }).end()
  }
}

const isFormOfPage = ({ headers }: Request): boolean =>
  isForm(headers) && (headers.get('accept') ?? '').includes('text/html')

/**
 * Where a browser goes after a form post: the redirect in the response, or the front page with the
 * error.
 */
function pageAfter(
  returnTo: ReturnToPolicy,
  response: Response,
  body: string | Uint8Array,
): string {
  const told = jsonOf(Buffer.from(body))
  const [address = '/'] = redirectsIn(told)
  if (response.ok) return returnTo.allows(address) ? returnTo.resolve(address) : returnTo.default
  const { code } = (told ?? {}) as { code?: unknown }
  const error = response.status === 429 ? 'RATE_LIMITED' : code
  return `${returnTo.default}?error=${/^[A-Z_]{1,64}$/.test(String(error)) ? String(error) : 'FAILED'}`
}

/**
 * Builds the request that better-auth receives.
 * @throws AuthError `NOT_FOUND` for an unknown route, `PAYLOAD_TOO_LARGE`, `RETURN_TO_NOT_ALLOWED`.
 */
async function toRequest(
  { auth, basePath, origin, returnTo, findRoute }: NodeHandlerOptions,
  req: IncomingMessage & { originalUrl?: string },
): Promise<Request> {
  // Express strips the mount path from `url`.
  const target = [req.originalUrl, req.url]
    .map((url) => originForm(url ?? ''))
    .find((url) => url.startsWith(`${basePath}/`))
  const url = new URL(`${origin}${target ?? '/'}`)
  const { method = 'GET' } = req
  const path = url.pathname.startsWith(`${basePath}/`) ? url.pathname.slice(basePath.length) : '/'
  // Before the rate limiter, which keeps a counter for every path it sees.
  if (findRoute(path, method) === undefined) {
    throw new AuthError('NOT_FOUND', `There is no ${method} route here.`)
  }
  const headers = headersOf(req, url)
  const body = method === 'GET' || method === 'HEAD' ? undefined : await readBody(req, headers)
  const request = new Request(url, { method, headers, body: body ?? null })
  const parsed = await parse(request)
  assertReturnTargets(returnTo, url.searchParams, parsed)
  const named = await withTokens(auth, path, parsed)
  return named === parsed
    ? request
    : new Request(url, { method, headers, body: JSON.stringify(named) })
}

/** Drops connection headers and replaces those about the client and the origin. */
function headersOf(req: IncomingMessage & { ip?: string | undefined }, url: URL): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headers)) {
    if (name.startsWith(':') || OWN_HEADERS.has(name)) continue
    for (const item of [value ?? []].flat()) headers.append(name, item)
  }
  // Express applies its trusted-proxy setting to `ip`.
  const [{ cidr, prefix }] = clientNetworks(req.ip ?? req.socket.remoteAddress)
  const address = prefix === 0 ? '' : (cidr.split('/', 1)[0] ?? '')
  headers.set(CLIENT_ADDRESS_HEADER, address)
  headers.set('x-forwarded-for', address)
  headers.set('x-forwarded-host', url.host)
  headers.set('x-forwarded-proto', url.protocol.slice(0, -1))
  headers.set('host', url.host)
  return headers
}

const OWN_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  CLIENT_ADDRESS_HEADER,
])

/**
 * Reads the body, or serializes the one that the app's body parser has already read.
 *
 * @throws BodyConsumedError when the parser has left nothing that can be serialized.
 */
async function readBody(
  req: IncomingMessage & { body?: unknown },
  headers: Headers,
): Promise<BodyInit | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge()
  if (req.readable && !req.readableDidRead) return readStream(req)
  if (req.body === undefined && announcesBody(req.headers)) throw new BodyConsumedError()
  const text = parsedBody(req.body, headers)
  if (text !== undefined && Buffer.byteLength(text) > BODY_LIMIT) throw tooLarge()
  return text
}

function parsedBody(body: unknown, headers: Headers): string | Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  }
  if (body instanceof URLSearchParams && isForm(headers)) return body.toString()
  if (!isPlainObject(body) && !Array.isArray(body)) throw new BodyConsumedError()
  if (isForm(headers)) return new URLSearchParams(formFields(body)).toString()
  if (isMisreadJson(body)) throw new BodyConsumedError()
  headers.set('content-type', 'application/json')
  return JSON.stringify(body)
}

async function readStream(req: IncomingMessage): Promise<BodyInit | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > BODY_LIMIT) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (isAuthError(error)) throw error
    throw new AuthError('MALFORMED_REQUEST', 'The body ended early.', { cause: error })
  }
  return size === 0 ? undefined : new Uint8Array(Buffer.concat(chunks))
}

const tooLarge = (): AuthError =>
  new AuthError('PAYLOAD_TOO_LARGE', `Send at most ${BODY_LIMIT / 1024} kB.`)

const mediaType = (headers: Headers): string => headers.get('content-type')?.toLowerCase() ?? ''
const isJson = (headers: Headers): boolean =>
  /^application\/([a-z0-9.+-]*\+)?json/.test(mediaType(headers))
const isForm = (headers: Headers): boolean =>
  mediaType(headers).includes('application/x-www-form-urlencoded')

/** Parses the body as better-auth does; `undefined` for content types it does not read. */
async function parse(request: Request): Promise<unknown> {
  const { headers } = request
  const copy = request.clone()
  try {
    if (isJson(headers)) return (await copy.json()) as unknown
    if (isForm(headers) || mediaType(headers).includes('multipart/form-data')) {
      return [...(await copy.formData())].map(([name, value]) => ({ [name]: value }))
    }
  } catch {
    // better-auth reports the syntax error.
  }
  return undefined
}

async function passOn(auth: BetterAuthInstance, request: Request): Promise<Response> {
  try {
    return await auth.handler(request)
  } catch (error) {
    throw isAuthError(error) ? error : databaseError(error)
  }
}

/** Checks a response of better-auth: no redirect to a foreign origin, no session token. */
async function checkedBody(
  { auth, returnTo }: NodeHandlerOptions,
  request: Request,
  response: Response,
): Promise<string | Uint8Array> {
  const { headers } = response
  const bytes = new Uint8Array(await response.arrayBuffer())
  const body = isJson(headers) && bytes.length > 0 ? jsonOf(bytes) : undefined
  for (const address of [headers.get('location') ?? [], redirectsIn(body)].flat()) {
    if (!(await mayLeadTo(auth, returnTo, address))) throw redirectRefused()
  }
  if (body === undefined) return bytes
  return withoutTokens(auth, body, {
    sent: request.headers.get('cookie') ?? '',
    set: headers.getSetCookie(),
  })
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined
  }
}
