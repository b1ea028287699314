/**
 * Guards for the App Router of Next.js 15 and 16.
 *
 * @module
 */
import { AUTH_PATH_PREFIX, type Principal, type Problem } from '@netscript/auth-contract'
import { GuardUnavailableError } from './authenticator.js'
import {
  type Caller,
  createCaller,
  decisionOf,
  type GuardOptions,
  type Requirement,
} from './caller.js'
import { createFetchGuard, type FetchGuard } from './fetch.js'
import { decodedPath, pathGuard } from './guarded-path.js'
import { passOn, updatedCookies } from './response.js'

/** Options of {@link createNextGuard}. */
export interface NextGuardOptions extends GuardOptions {
  /** `headers` of `next/headers`. */
  headers: () => Promise<Pick<Headers, 'get'>>
}

/** The caller of a page or action; `problem` has status 401 or 403. */
export type NextAuthentication =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly problem: Problem }

/** Guards of {@link createNextGuard}. */
export interface NextGuard {
  /**
   * Authenticates and authorizes the caller in a server component or server action, at most one
   * authentication per request.
   * @throws GuardUnavailableError during an outage, for the error page.
   */
  readonly auth: (requirement?: Omit<Requirement, 'authorizer'>) => Promise<NextAuthentication>
  /** Guards a route handler: `export const GET = protect((request, principal) => ...)`. */
  readonly protect: FetchGuard['protect']
}

/**
 * Creates guards for server components, server actions and route handlers.
 *
 * @example
 * ```ts
 * import { headers } from 'next/headers'
 *
 * export const { auth, protect } = createNextGuard({ authenticator, headers })
 * ```
 */
export function createNextGuard({ headers, ...options }: NextGuardOptions): NextGuard {
  // Next.js returns the same object for all calls of a request.
  const callers = new WeakMap<object, Caller>()
  const target = () => {
    throw new Error('auth() does not know the path. Use scopes and roles.')
  }
  const pass = (setCookies: readonly string[]) => {
    if (setCookies.length === 0) return
    const message =
      'The session cookie was replaced, which a page cannot pass on. Add createAuthProxy().'
    options.log?.warn({ code: 'COOKIE_NOT_PASSED_ON' }, message)
  }
  return {
    protect: createFetchGuard(options).protect,
    async auth(requirement = {}) {
      const decision = decisionOf('auth()', requirement)
      const sent = await headers()
      const caller = callers.get(sent) ?? createCaller(options, { headers: sent }, target, pass)
      callers.set(sent, caller)
      const outcome = await caller.check(decision)
      if (outcome.ok) return { ok: true, principal: outcome.principal }
      const { problem } = outcome.refusal
      if (problem.status === 503) throw new GuardUnavailableError(problem.detail, outcome)
      return { ok: false, problem }
    },
  }
}

/** Options of {@link createAuthProxy}. Paths begin with the `basePath`, if there is one. */
export interface NextProxyOptions extends GuardOptions {
  /** `NextResponse` of `next/server`. */
  NextResponse: { next(init?: { request: { headers: Headers } }): Response }
  /**
   * The page that starts the sign-in; it is always open. Navigations without a session are redirected
   * to it, with the path and query in `redirectTo`.
   * @default none, the response is 401
   */
  signInPage?: string
  /** Paths that require a session, including everything below them. @default ['/'] */
  protect?: readonly string[]
  /** Exceptions to `protect`, including everything below them. @default ['/health'] */
  allowAnonymous?: readonly string[]
}

/**
 * Creates the function of `proxy.ts`, in Next.js 15 of `middleware.ts`. It passes replaced cookies on
 * to the browser and to the pages that are rendered afterwards. It must not be the only guard of a
 * page: use `auth()` there too. The routes of the authentication API are left alone.
 *
 * @example
 * ```ts
 * import { NextResponse } from 'next/server'
 *
 * export const proxy = createAuthProxy({ authenticator, NextResponse, signInPage: '/sign-in' })
 * ```
 */
export function createAuthProxy(
  options: NextProxyOptions,
): (request: Request) => Promise<Response> {
  const { NextResponse, signInPage, authenticator } = options
  const { protect = [], allowAnonymous = ['/health'] } = options
  const requiresSession = pathGuard({
    protect: protect.length > 0 ? protect : ['/'],
    allowAnonymous: [...allowAnonymous, ...(signInPage === undefined ? [] : [signInPage])],
  })
  const isOther = pathGuard({
    protect: ['/'],
    allowAnonymous: [AUTH_PATH_PREFIX, '/.well-known/jwks.json'],
  })
  const guard = createFetchGuard(options)
  // Next.js routes by the decoded path, and refuses one that is malformed.
  const isRequiredDecoded = (url: string): boolean => {
    try {
      return requiresSession(decodedPath(url))
    } catch {
      return true
    }
  }
  // A page without a session is no refusal to log where none is required.
  const silent = createFetchGuard({ authenticator })

  return async (request) => {
    const { pathname, search } = new URL(request.url)
    if (!isOther(pathname)) return NextResponse.next()
    const isRequired = requiresSession(pathname) || isRequiredDecoded(request.url)
    const who = await (isRequired ? guard : silent).authenticate(request)
    const setCookies = who.headers.getSetCookie()
    if (who.ok || !isRequired) {
      if (setCookies.length === 0)
        return who.ok ? who.respond(NextResponse.next()) : NextResponse.next()
      const headers = new Headers(request.headers)
      headers.set('cookie', updatedCookies(headers.get('cookie') ?? '', setCookies))
      return passOn(NextResponse.next({ request: { headers } }), setCookies)
    }
    if (who.problem.status !== 401 || signInPage === undefined || !isNavigation(request)) {
      return who.response
    }
    const location = new URL(signInPage, request.url)
    // Two slashes would lead to another origin.
    location.searchParams.set('redirectTo', pathname.replace(/^\/+/, '/') + search)
    return passOn(
      new Response(null, { status: 303, headers: { location: location.href } }),
      setCookies,
    )
  }
}

function isNavigation({ method, headers }: Request): boolean {
  const mode = headers.get('sec-fetch-mode')
  if (method !== 'GET') return false
  return mode === null ? /\btext\/html\b/.test(headers.get('accept') ?? '') : mode === 'navigate'
}
