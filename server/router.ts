import { createExpressEndpoints, type RequestValidationError } from '@ts-rest/express'
import {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from 'express'
import type { z } from 'zod'
import { AuthError } from '../backends/errors.js'
import { toAuthnRequest } from '../backends/request.js'
import { accountContractV1 } from '../contract/account-contract.js'
import { authContractV1 } from '../contract/auth-contract.js'
import { BackChannelLogoutInput } from '../contract/back-channel-logout.js'
import { discoveryContractV1 } from '../contract/discovery-contract.js'
import { backChannelLogout } from './handlers/back-channel-logout.js'
import { callback } from './handlers/callback.js'
import type { HandlerContext } from './handlers/context.js'
import { describe } from './handlers/describe.js'
import { loggedOut, logout } from './handlers/logout.js'
import { me, session } from './handlers/session.js'
import { listSessions, revokeSession, revokeSessions } from './handlers/sessions.js'
import { signin } from './handlers/signin.js'
import { signout } from './handlers/signout.js'
import { jwks, token } from './handlers/token.js'
import { isForm } from './http/body.js'
import type { Reply } from './reply.js'

const OPTIONS = {
  logInitialization: false,
  responseValidation: true,
  requestValidationErrorHandler: (error: RequestValidationError) => {
    throw toValidationError(error)
  },
}

/** Adds the routes of the contracts to a router: the only place where ts-rest meets Express. */
export function addAuthRoutes(router: Router, context: HandlerContext): void {
  createExpressEndpoints(
    authContractV1,
    {
      signin: async ({ body, req, res }) =>
        send(res, await signin(context, toAuthnRequest(req), body, { isForm: isForm(req) })),
      signout: async ({ body, req, res }) =>
        send(res, await signout(context, toAuthnRequest(req), body, { isForm: isForm(req) })),
      callback: async ({ req, res }) =>
        send(
          res,
          await callback(context, toAuthnRequest(req), rawQuery(req), {
            wantsJson: req.accepts(['html', 'json']) === 'json',
          }),
        ),
      session: async ({ req, res }) => send(res, await session(context, toAuthnRequest(req))),
      me: async ({ req, res }) => send(res, await me(context, toAuthnRequest(req))),
    },
    router,
    OPTIONS,
  )
  createExpressEndpoints(
    accountContractV1,
    {
      describe: async ({ res }) => send(res, describe(context)),
      sessions: async ({ req, res }) => send(res, await listSessions(context, toAuthnRequest(req))),
      revokeSession: async ({ params, req, res }) =>
        send(res, await revokeSession(context, toAuthnRequest(req), params.id)),
      revokeSessions: async ({ req, res }) =>
        send(res, await revokeSessions(context, toAuthnRequest(req))),
      logout: async ({ query, req, res }) =>
        send(res, await logout(context, toAuthnRequest(req), query.ticket)),
      loggedOut: async ({ query, req, res }) =>
        send(res, await loggedOut(context, toAuthnRequest(req), query.state)),
      token: {
        middleware: [requireJson],
        handler: async ({ body, req, res }) =>
          send(res, await token(context, toAuthnRequest(req), body)),
      },
      backChannelLogout: {
        middleware: [requireOneLogoutToken],
        handler: async ({ body, res }) =>
          send(res, await backChannelLogout(context, body.logout_token)),
      },
    },
    router,
    OPTIONS,
  )
}

/** Adds what others must find at the root of the origin. */
export function addDiscoveryRoutes(router: Router, context: HandlerContext): void {
  createExpressEndpoints(
    discoveryContractV1,
    {
      jwks: async ({ res }) => {
        const reply = await jwks(context)
        // It is the same for everybody, and verifiers ask for it again when they miss a key.
        res.setHeader('Cache-Control', 'public, max-age=300')
        res.removeHeader('Vary')
        return send(res, reply)
      },
    },
    router,
    OPTIONS,
  )
}

/** A form would leave the token on a page. */
const requireJson = (
  { headers }: Pick<Request, 'headers'>,
  _res: unknown,
  next: NextFunction,
): void => {
  next(
    isForm({ headers })
      ? new AuthError('UNSUPPORTED_MEDIA_TYPE', 'Send application/json.')
      : undefined,
  )
}

/** OpenID Connect Back-Channel Logout 1.0 section 2.8: what is wrong with the request is a 400. */
const requireOneLogoutToken = (
  { headers, body }: Pick<Request, 'headers' | 'body'>,
  _res: unknown,
  next: NextFunction,
): void => {
  if (!isForm({ headers })) {
    next(new AuthError('UNSUPPORTED_MEDIA_TYPE', 'Send application/x-www-form-urlencoded.'))
  } else if (!BackChannelLogoutInput.safeParse(body).success) {
    next(new AuthError('MALFORMED_REQUEST', 'Send exactly one logout_token.'))
  } else next()
}

type StatusAndBody<R> =
  R extends Reply<infer Status, infer Body> ? { status: Status; body: Body } : never

function send<R extends Reply>(res: Response, reply: R): StatusAndBody<R> {
  for (const cookie of reply.setCookies) res.append('Set-Cookie', cookie)
  // Not every backend is checked by TypeScript: a missing location throws here.
  if (reply.status === 303) res.setHeader('Location', reply.location as string)
  return { status: reply.status, body: reply.body } as StatusAndBody<R>
}

/** The query as it was sent: Express folds repeated parameters, and the flow must see them. */
function rawQuery({ url }: Pick<Request, 'url'>): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1))
}

/** The methods that the contracts declare for each path, by the path or, with parameters, a pattern. */
const METHODS = new Map<string, string[]>()
for (const { path, method } of [
  ...Object.values(authContractV1),
  ...Object.values(accountContractV1),
]) {
  const methods = METHODS.get(path) ?? []
  METHODS.set(path, [...methods, ...(method === 'GET' ? ['GET', 'HEAD'] : [method])])
}
const PATTERNS = [...METHODS]
  .filter(([path]) => path.includes(':'))
  .map(([path, methods]) => ({
    pattern: new RegExp(`^${path.replace(/:[^/]+/g, '[^/]+')}$`),
    methods,
  }))

/**
 * 405 with Allow for a method that the contracts do not declare for the path. It comes before
 * anything looks at the request: a form_post to the callback changes nothing, whoever sends it.
 */
export const refuseUndeclaredMethods: RequestHandler = (req, res, next) => {
  const methods =
    METHODS.get(req.path) ?? PATTERNS.find(({ pattern }) => pattern.test(req.path))?.methods
  if (!methods || methods.includes(req.method)) return next()
  const allow = methods.join(', ')
  res.setHeader('Allow', allow)
  next(new AuthError('METHOD_NOT_ALLOWED', `Use one of: ${allow}.`))
}

type Issues = { issues: readonly z.core.$ZodIssue[] } | null

function toValidationError(error: RequestValidationError): AuthError<'VALIDATION_ERROR'> {
  const parts = [error.pathParams, error.query, error.body, error.headers] as Issues[]
  const formErrors: string[] = []
  const fieldErrors: Record<string, string[]> = {}
  for (const issue of parts.flatMap((part) => part?.issues ?? [])) {
    const field = issue.path.join('.')
    if (field === '') formErrors.push(issue.message)
    else (fieldErrors[field] ??= []).push(issue.message)
  }
  const named = Object.keys(fieldErrors).join(', ') || 'the input'
  return new AuthError('VALIDATION_ERROR', `Correct ${named} and send it again.`, {
    data: { formErrors, fieldErrors },
  })
}
