import type { Principal, RecentAuth } from '@netscript/auth-contract'
import { parseRecentAuth, parseRouteAuth } from '@netscript/auth-contract/internal'
import {
  type Authenticator,
  type GuardRequest,
  GuardUnavailableError,
  headerOf,
} from './authenticator.js'
import { type Authorizer, type AuthzDecision, type AuthzRequest, decide } from './authorizer.js'
import {
  forbidden,
  recentAuthRequired,
  type Refusal,
  unauthorized,
  unavailable,
} from './response.js'

/** Options of the guards of every framework. */
export interface GuardOptions {
  /** Authenticates the requests. */
  authenticator: Authenticator
  /** Such as a pino logger. No secret is logged. @default no log */
  log?: {
    /** Expected events, such as a refused request. */
    info(fields: object, message: string): void
    /** Events an operator should look at, such as an outage. */
    warn(fields: object, message: string): void
  }
}

/** What a caller needs beside a session. All of it is required. */
export interface Requirement {
  /** Scopes that the caller needs, all of them. @default none */
  readonly scopes?: readonly string[]
  /** Roles that the caller needs, all of them. @default none */
  readonly roles?: readonly string[]
  /** How recently the caller must have authenticated at the provider. @default any time */
  readonly recentAuth?: RecentAuth
  /** Decides last. An error that it throws denies the request. @default none */
  readonly authorizer?: Authorizer
}

/** What an authorizer learns about a request. */
export type Target = Pick<AuthzRequest, 'method' | 'path'>

/** Decides whether an authenticated caller may make the request. */
export type Decision = (request: AuthzRequest) => AuthzDecision | Promise<AuthzDecision>

/** Whether a request may go on. `setCookies` belong to the response in every case. */
export type Outcome =
  | { readonly ok: true; readonly principal: Principal; readonly setCookies: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal; readonly setCookies: readonly string[] }

/** The caller of one request. */
export interface Caller {
  /** Throws unless a guard has let the request pass, so that a missing guard is noticed. */
  readonly principal: Principal
  /** Authenticates at most once per request, on first use. */
  check(decision: Decision): Promise<Outcome>
}

/**
 * Creates the caller of a request.
 *
 * @param target Method and path, as the framework routes by them; read when an authorizer decides.
 * @param pass Puts `Vary`, `Cache-Control` and `Set-Cookie` on the response; called once, after
 * the authentication.
 */
export function createCaller(
  { authenticator, log }: GuardOptions,
  request: GuardRequest,
  target: () => Target,
  pass: (setCookies: readonly string[]) => void = () => {},
): Caller {
  const { realm } = authenticator
  let principal: Principal | undefined
  const authenticate = async () => {
    let setCookies: readonly string[] = []
    try {
      const found = await authenticator.authenticate(request)
      setCookies = found.setCookies
      return found
    } catch (error) {
      if (!(error instanceof GuardUnavailableError)) throw error
      setCookies = error.setCookies
      return error
    } finally {
      pass(setCookies)
    }
  }
  let asked: ReturnType<typeof authenticate> | undefined

  const decideOn = async (decision: Decision, principal: Principal): Promise<AuthzDecision> => {
    try {
      return await decision({
        principal,
        get method() {
          return target().method
        },
        get path() {
          return target().path
        },
      })
    } catch (err) {
      log?.warn({ err, code: 'FORBIDDEN' }, 'The authorizer could not decide.')
      return { allow: false, reason: 'authz.error' }
    }
  }

  return {
    get principal() {
      if (principal) return principal
      throw unguarded()
    },
    async check(decision) {
      const found = await (asked ??= authenticate())
      const { setCookies } = found
      if (found instanceof GuardUnavailableError) {
        log?.warn({ code: found.code, err: found.cause ?? found }, found.message)
        return { ok: false, refusal: unavailable(found), setCookies }
      }
      if (!found.ok) {
        log?.info({ code: 'UNAUTHORIZED', reason: found.reason }, 'A request was refused.')
        const bearer = /^bearer\b/i.test(headerOf(request, 'authorization') ?? '')
        return { ok: false, refusal: unauthorized(found, { realm, bearer }), setCookies }
      }
      const decided = await decideOn(decision, found.principal)
      if (!decided.allow) {
        const context = { realm, principal: found.principal }
        const refusal = decided.recentAuth
          ? recentAuthRequired(decided.recentAuth, context)
          : forbidden(decided, context)
        const { code } = refusal.problem
        log?.info({ code, reason: decided.reason }, 'A request was refused.')
        return { ok: false, refusal, setCookies }
      }
      principal = found.principal
      return { ok: true, principal, setCookies }
    },
  }
}

/** The error of reading the principal where no guard ran. */
export const unguarded = (): Error =>
  new Error('This route has no guard. Add requireSession() before its handler.')

const refuse = (): never => {
  throw unguarded()
}
/** Stands for the principal where no guard ran and a framework has no getter: reading it throws. */
export const UNGUARDED = new Proxy<Principal>(Object.create(null) as Principal, {
  ...{ get: refuse, has: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse },
})

/**
 * The decision of a requirement.
 * @throws TypeError for a malformed requirement; the message begins with `where`.
 */
export function decisionOf(where: string, { authorizer, ...auth }: Requirement): Decision {
  const required = parseRouteAuth(`The requirement of ${where}`, auth)
  const { scopes = [], roles = [], recentAuth } = required
  const rule = {
    ...{ requireScopes: scopes, requireRoles: roles },
    ...(recentAuth && { requireRecentAuth: recentAuth }),
  }
  return (request) => {
    const decided = decide(request.principal, rule)
    return decided.allow && authorizer ? authorizer.authorize(request) : decided
  }
}

/** Creates the guards of a framework, whose middleware is `G`. */
export function guardsOf<G>(guard: (decision: Decision) => G) {
  return {
    requireSession: () => guard(decisionOf('requireSession()', {})),
    requireScopes: (...scopes: string[]) => guard(decisionOf('requireScopes()', { scopes })),
    requireRoles: (...roles: string[]) => guard(decisionOf('requireRoles()', { roles })),
    requireRecentAuth: (recentAuth: RecentAuth) => {
      parseRecentAuth('requireRecentAuth()', recentAuth)
      return guard(decisionOf('requireRecentAuth()', { recentAuth }))
    },
    withAuthz: ({ authorizer }: { authorizer: Authorizer }) =>
      guard((request) => authorizer.authorize(request)),
  }
}
