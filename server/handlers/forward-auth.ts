import { AUTH_PATH_PREFIX, IDENTITY_HEADERS } from '@netscript/auth-contract'
import {
  type ForwardAuthQuery,
  SIGN_IN_PAGE_PATH,
  SIGN_IN_URL_HEADER,
} from '@netscript/auth-contract/internal'
import { AuthError, type AuthnResult } from '@netscript/plugin-auth-core'
import { createReturnToPolicy, withCookiesOnly } from '@netscript/plugin-auth-core/internal'
import { type HeaderField, ok, prefersPage, type Reply } from '../engine/message.js'
import { checkOrigin, SAFE_METHODS } from '../engine/cross-origin.js'
import { AuthErrorWithHeaders } from '../engine/problem.js'
import type { HandlerContext, HandlerRequest } from './context.js'
import { issuerOf, issueTo } from './token.js'

type SignedIn = Extract<AuthnResult, { ok: true }>

/** GET /forward-auth: whether the request that a reverse proxy received may pass, and whose it is. */
export async function forwardAuth(
  context: HandlerContext,
  request: HandlerRequest,
  { mode, audience, scope, role }: ForwardAuthQuery,
): Promise<Reply<200, undefined> | Reply<302, undefined>> {
  refuseEmptyParameters(request)
  checkHost(context, request)
  checkForwardedOrigin(context, request)
  const tokens = audience === undefined ? undefined : issuerOf(context)
  if (audience !== undefined) tokens?.checkAudience(audience)
  // As for POST /token: any other credential of the request is for the application.
  const result = await context.backend.authenticate(withCookiesOnly(request))
  const { setCookies } = result
  if (!result.ok) {
    const signIn = isNavigation(request) ? signInUrl(context, request) : undefined
    if (signIn !== undefined && mode === 'redirect') {
      const headers = NO_IDENTITY
      return { status: 302, body: undefined, location: signIn, setCookies, headers }
    }
    const further: HeaderField[] = signIn === undefined ? [] : [[SIGN_IN_URL_HEADER, signIn]]
    throw new AuthErrorWithHeaders('UNAUTHORIZED', 'Sign in first.', { setCookies }, further)
  }
  checkGranted(result, { scopes: [scope ?? []].flat(), roles: [role ?? []].flat() })
  const issued =
    audience === undefined
      ? undefined
      : await issueTo(result, () =>
          issuerOf(context).issue(result.session, audience, { isRecorded: false }),
        )
  return { ...ok(undefined, setCookies), headers: identityHeaders(result, issued?.token) }
}

/** Elsewhere an empty parameter is absent (RFC 6749 section 3.1); here it would drop a requirement. */
function refuseEmptyParameters({ query }: HandlerRequest): void {
  const empty = [...new URLSearchParams(query)].flatMap(([name, value]) => (value ? [] : [name]))
  if (empty.length === 0) return
  throw new AuthError('VALIDATION_ERROR', 'Give every parameter of the query a value.', {
    data: {
      formErrors: [],
      fieldErrors: Object.fromEntries(empty.map((name) => [name, ['is empty']])),
    },
  })
}

/** The session cookie belongs to one host, and the sign-in returns to it. */
function checkHost({ origin }: HandlerContext, request: HandlerRequest): void {
  const own = new URL(origin)
  const forwarded = request.header('x-forwarded-host')
  const direct = request.header('host') ?? request.header(':authority')
  // From any other peer the header can only restrict.
  const hosts = request.isFromTrustedProxy() ? [forwarded ?? direct] : [forwarded ?? direct, direct]
  if (hosts.every((host) => host !== undefined && isHostOf(own, host))) return
  throw new AuthError(
    'HOST_NOT_ALLOWED',
    'Sign-in covers the host of the service only; sign-in across sub-domains is not supported yet. Serve the application and /api/v1/auth/ from one host.',
    {
      cause: new Error(
        `A proxy asked for the host ${hosts.map((host) => host?.slice(0, 200) ?? 'none').join(', ')}, and the origin is ${origin}. The proxy must send X-Forwarded-Host, and be listed in NETSCRIPT_AUTH_TRUST_PROXY (trustProxy of the API).`,
      ),
    },
  )
}

const isHostOf = (own: URL, host: string): boolean => {
  const url = `${own.protocol}//${host}`
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(url) && new URL(url).host === own.host
}

/**
 * The application behind the proxy is authenticated by the cookie, so it needs our check against
 * requests from other sites. Headers from any peer count: they can only restrict.
 */
function checkForwardedOrigin({ allowedOrigins }: HandlerContext, request: HandlerRequest): void {
  const methods = forwardedMethods(request)
  const origin = request.header('origin')
  // Without a method, the header that browsers add to unsafe requests and to those of other origins decides.
  const isUnsafe =
    methods.length > 0 ? methods.some((one) => !SAFE_METHODS.has(one)) : origin !== undefined
  // No preflight protects a handshake, which has an Origin in browsers (RFC 6455 section 10.2).
  if (!isUnsafe && !(isWebSocket(request) && origin !== undefined)) return
  const headers = {
    origin,
    'sec-fetch-site': request.header('sec-fetch-site'),
    'content-type': request.header('content-type'),
  }
  const sent = Object.entries(headers).filter(([, value]) => value !== undefined)
  const asUnsafe = { method: 'POST', headers: Object.fromEntries(sent), hasBody: false }
  checkOrigin(asUnsafe, AUTH_PATH_PREFIX, allowedOrigins)
}

const valuesOf = (request: HandlerRequest, ...names: readonly string[]): string[] =>
  names.map((name) => request.header(name) ?? '').filter((value) => value !== '')

const forwardedMethods = (request: HandlerRequest): string[] =>
  valuesOf(request, 'x-forwarded-method', 'x-original-method')

const isWebSocket = (request: HandlerRequest): boolean =>
  request.header('sec-websocket-key') !== undefined ||
  request.header('sec-fetch-mode') === 'websocket'

/** Whether a browser shows the response as a page of its own. */
function isNavigation(request: HandlerRequest): boolean {
  if (forwardedMethods(request).some((one) => one !== 'GET' && one !== 'HEAD')) return false
  if (isWebSocket(request)) return false
  const [mode, dest] = [request.header('sec-fetch-mode'), request.header('sec-fetch-dest')]
  if (mode !== undefined && mode !== 'navigate') return false
  // The sign-in page refuses to be framed.
  if (dest !== undefined && dest !== 'document') return false
  return prefersPage({ headers: { accept: request.header('accept') } })
}

/**
 * The address of the sign-in page; `undefined` when the proxy protects the service itself, where it
 * would be a loop.
 */
function signInUrl(context: HandlerContext, request: HandlerRequest): string | undefined {
  const { pathname, search } = new URL(returnTarget(context, request))
  if (pathname.startsWith(`${AUTH_PATH_PREFIX}/`)) return undefined
  const redirectTo = encodeURIComponent(pathname + search)
  return `${context.origin}${SIGN_IN_PAGE_PATH}?redirectTo=${redirectTo}`
}

/** Path and query that a trusted proxy was asked for, on our own origin; else the front page. */
function returnTarget({ origin }: HandlerContext, request: HandlerRequest): string {
  const policy = createReturnToPolicy(origin)
  if (!request.isFromTrustedProxy()) return policy.default
  const [path, ...others] = new Set([
    ...valuesOf(request, 'x-forwarded-uri', 'x-original-uri'),
    // Proxies send it as a URL. Its host is that of the request, which was checked.
    ...valuesOf(request, 'x-original-url').map((url) => withoutOwnHost(url, origin)),
  ])
  if (path === undefined || others.length > 0 || !path.startsWith('/')) return policy.default
  try {
    return policy.resolve(path)
  } catch {
    return policy.default
  }
}

function withoutOwnHost(url: string, origin: string): string {
  const [whole, host] = /^https?:\/\/([^/?#]+)(?=\/)/i.exec(url) ?? []
  return whole !== undefined && host !== undefined && isHostOf(new URL(origin), host)
    ? url.slice(whole.length)
    : url
}

function checkGranted(
  { principal, setCookies }: SignedIn,
  required: { scopes: readonly string[]; roles: readonly string[] },
): void {
  const missingScopes = required.scopes.filter((one) => !principal.scopes.includes(one))
  const missingRoles = required.roles.filter((one) => !principal.roles.includes(one))
  if (missingScopes.length === 0 && missingRoles.length === 0) return
  throw new AuthError('FORBIDDEN', 'The user lacks a required scope or role.', {
    setCookies,
    data: { missingScopes, missingRoles },
  })
}

/** Every identity header, empty: a proxy that copies it overwrites what the client sent. */
export const NO_IDENTITY: readonly HeaderField[] = Object.values(IDENTITY_HEADERS).map(
  (name): HeaderField => [name, ''],
)

function identityHeaders({ session, user }: SignedIn, token: string | undefined): HeaderField[] {
  const values: Readonly<Record<keyof typeof IDENTITY_HEADERS, string>> = {
    authorization: token === undefined ? '' : `Bearer ${token}`,
    token: token ?? '',
    user: encoded(session.userId),
    name: encoded(user.displayName ?? ''),
    email: encoded(user.emailVerified === true ? (user.email ?? '') : ''),
    roles: session.roles.map(encoded).join(','),
    scopes: session.scopes.map(encoded).join(','),
    session: encoded(session.id),
  }
  return Object.entries(values).map(([key, value]): HeaderField => [
    IDENTITY_HEADERS[key as keyof typeof values],
    value,
  ])
}

/** A lone surrogate has no UTF-8 and becomes U+FFFD. */
const encoded = (value: string): string =>
  encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))
