import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import cookieParser from 'cookie-parser'
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  Router,
} from 'express'
import type { AuthSession } from '@netscript/auth-contract'
import { AuthError, toAuthnRequest } from '@netscript/plugin-auth-core'
import { originForm } from '@netscript/plugin-auth-core/internal'
import { listenerOf } from './adapters/node-message.js'
import { apiOptions, type ApiParts } from './api-parts.js'
import type { MountedBackend } from './backends.js'
import type { AuthConfig } from './config/auth-config.js'
import { isLoopback, isLoopbackHost } from './config/loopback.js'
import { createEngine } from './engine/engine.js'
import { sessionsBeside } from './handlers/session.js'
import { healthRouter } from './health.js'
import { prefersPage } from './engine/message.js'
import { createRequestLog, type HttpMetrics } from './engine/request-log.js'
import { respondToError } from './engine/problem.js'
import { securityHeaders } from './engine/security-headers.js'
import type { Logger } from './log.js'
import { pageScript, serveAsset } from './pages/assets.js'
import {
  homePage,
  type HomePageOptions,
  lastProvider,
  rememberProvider,
} from './pages/home-page.js'
import { type DemoNotice, passwordNotice } from './pages/sign-in-page.js'

/** Options of {@link createServiceApp}. */
export interface ServiceAppOptions extends ApiParts {
  config: AuthConfig
  logger: Logger
  draining: () => boolean
  metrics?: HttpMetrics | undefined
  demo?: DemoNotice
}

const { version } = createRequire(import.meta.url)('@netscript/plugin-auth/package.json') as {
  version: string
}

/** Creates the service's HTTP application: the API, health, the page, the OpenAPI document and Swagger UI. */
export function createServiceApp(options: ServiceAppOptions): RequestListener {
  const { config, backend, logger, draining } = options

  const site = express()
  site.disable('x-powered-by')
  site.set('trust proxy', config.variables.NETSCRIPT_AUTH_TRUST_PROXY ?? false)
  site.use(healthRouter({ backend, version, draining }))
  site.use(startPage(options))
  site.get(pageScript.path, serveAsset(pageScript))
  site.get('/', toOwnOrigin(config.origin), cookieParser(), home(options))
  site.use(backendRoutes(backend))
  site.use(apiDocs(config))
  site.use((_req, res, next) => {
    res.setHeader('Cache-Control', 'no-store')
    res.append('Vary', 'Cookie')
    next(new AuthError('NOT_FOUND', 'There is nothing here. See /openapi.json.'))
  })
  site.use(answerError(logger))
  const engine = createEngine(apiOptions(config, options), {
    acceptsLoopback: isForThisMachine(options),
    ...(backend.passwordForms && { passwordForms: backend.passwordForms }),
  })
  return listenerOf(engine, site)
}

/**
 * Whether only this machine can reach the service and the local provider runs, so that any dev server on
 * loopback may call.
 */
function isForThisMachine({ demo, config }: ServiceAppOptions): boolean {
  return (
    demo !== undefined &&
    !config.production &&
    isLoopbackHost(config.host) &&
    isLoopback(config.origin)
  )
}

/** Log line and security headers for everything outside the API. */
function startPage({ config, logger, metrics, backend }: ServiceAppOptions): RequestHandler {
  const providerUrls = config.providers.flatMap((provider) =>
    [provider.issuer, provider.authorizationEndpoint].filter((url) => url !== undefined),
  )
  const startLine = createRequestLog({ logger, metrics })
  const headers = securityHeaders({ origin: config.origin, providerUrls })
  return (req, res, next) => {
    const line = startLine(req, loggedPath(req, backend), siteRoute(req.path, backend.basePath))
    res.setHeader('X-Request-Id', line.requestId)
    for (const [name, value] of headers) res.setHeader(name, value)
    if (!PROBES.test(req.path)) {
      res.once('close', () => line.end(res.writableFinished ? res.statusCode : undefined))
    }
    next()
  }
}

/** Polled every few seconds, so excluded from logs and metrics. */
const PROBES = /^\/health(\/|$)|^\/assets\//

/** The path for the log. A backend's links contain tokens, even when a prefix or typo breaks them. */
function loggedPath({ method, path }: Request, backend: MountedBackend): string {
  return backend.routeOf?.(method, path) ?? path.replaceAll(/[^/]{20,}/g, '*')
}

/** Route label for a path outside the API: one of a few names. */
function siteRoute(path: string, basePath: string | undefined): string {
  if (path === '/') return 'home'
  if (path === '/openapi.json' || /^\/docs(\/|$)/.test(path)) return 'docs'
  if (basePath !== undefined && path.startsWith(`${basePath}/`)) return 'backend'
  return 'none'
}

/** Answers errors like the API does; a browser gets a page. */
function answerError(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) return next(thrown)
    const { status, setCookies, retryAfter, type, body } = respondToError(logger, thrown, {
      requestId: res.get('X-Request-Id') ?? '',
      // Only programs request these, whatever their Accept header says.
      asPage: prefersPage(req) && !req.path.startsWith('/.well-known/'),
    })
    for (const cookie of setCookies) res.append('Set-Cookie', cookie)
    if (retryAfter !== undefined) res.setHeader('Retry-After', retryAfter)
    // Not send(), which would add an ETag.
    res.status(status).setHeader('Content-Type', `${type}; charset=utf-8`).end(body)
  }
}

/** The backend's own routes, before anything reads a body. */
function backendRoutes({ basePath, handler }: MountedBackend): RequestHandler {
  return (req, res, next) => {
    if (!handler || basePath === undefined || !req.path.startsWith(`${basePath}/`)) return next()
    handler(req, res).catch(next)
  }
}

/** Keeps the page small; the API lists the rest. */
const SESSIONS_ON_PAGE = 20

/** The newest sessions, always including the current one, for {@link homePage}. */
async function sessionsForPage(
  current: AuthSession,
  backend: MountedBackend,
): Promise<Pick<HomePageOptions, 'sessions' | 'hasMoreSessions'>> {
  const page = await sessionsBeside(current, backend, { limit: SESSIONS_ON_PAGE })
  const isListed = page.sessions.some((summary) => summary.current)
  const sessions = isListed
    ? page.sessions
    : [...page.sessions.slice(0, SESSIONS_ON_PAGE - 1), { session: current, current: true }]
  return { sessions, hasMoreSessions: page.cursor !== undefined }
}

function home({ backend, config, demo, logger }: ServiceAppOptions): RequestHandler {
  return async (req, res) => {
    const result = await backend.authenticate(toAuthnRequest(req))
    const providers = backend.providers.listProviders()
    const ids = providers.map(({ id }) => id)
    const last = lastProvider(req, ids)
    const current = ids.find((id) => result.ok && id === result.session.providerId)
    // With a single provider there is nothing to remember.
    if (current !== undefined && current !== last && ids.length > 1) {
      rememberProvider(res, current, config.origin)
    }
    const sessions =
      result.ok && backend.capabilities.listSessions
        ? await sessionsForPage(result.session, backend).catch((err: unknown) => {
            logger.warn({ err }, 'The page shows no sessions, since they cannot be listed.')
            return undefined
          })
        : undefined
    const accounts =
      result.ok &&
      (await backend.accounts?.list(result.session).catch((err: unknown) => {
        logger.warn({ err }, 'The page shows no accounts, since they cannot be listed.')
        return undefined
      }))
    for (const cookie of result.setCookies) res.append('Set-Cookie', cookie)
    res.setHeader('Cache-Control', 'no-store')
    res.append('Vary', 'Cookie')
    res.type('html').send(
      homePage({
        interactive: backend.interactive !== undefined,
        providers,
        ...(last !== undefined && { lastProviderId: last }),
        docsEnabled: config.docs,
        ...(backend.signInHint !== undefined && { signInHint: backend.signInHint }),
        ...(backend.passwordForms && { passwordForms: backend.passwordForms }),
        ...(backend.basePath !== undefined &&
          typeof req.query.error === 'string' &&
          !result.ok && { notice: passwordNotice(req.query.error) }),
        ...(result.ok && { user: result.user, session: result.session }),
        ...sessions,
        ...(accounts && { accounts }),
        selfService: backend.selfService !== undefined,
        ...(demo && { demo }),
      }),
    )
  }
}

/** The OpenAPI document and Swagger UI, loaded on first request. */
function apiDocs({ origin, variables, docs: ui }: AuthConfig): RequestHandler {
  let loading: Promise<RequestHandler> | undefined
  const load = async (): Promise<RequestHandler> => {
    const [{ createApiDocs }, { createOpenApiDocument }] = await Promise.all([
      import('./api-docs.js'),
      import('@netscript/auth-openapi'),
    ])
    const cookieName = variables.NETSCRIPT_AUTH_COOKIE_NAME
    const router = Router()
    // Under another host name the page could not call the API, and the cookie would not be sent.
    router.get('/docs{/*path}', toOwnOrigin(origin))
    const document = () => createOpenApiDocument({ serverUrl: origin, cookieName })
    return router.use(createApiDocs(document, { ui }))
  }
  return async (req, res, next) => {
    if (req.path !== '/openapi.json' && !/^\/docs(\/|$)/.test(req.path)) return next()
    const docs = await (loading ??= load())
    docs(req, res, next)
  }
}

/**
 * Redirects a page opened under another loopback name to the service's own origin, which has the cookies:
 * `127.0.0.1` to `localhost`. Any other name belongs to a proxy and is not redirected, nor is a URL with
 * a query, so that no proxy can cause a redirect loop.
 */
function toOwnOrigin(origin: string): RequestHandler {
  const own = new URL(origin)
  return (req, res, next) => {
    const { originalUrl } = req
    const shown = `${own.protocol}//${req.host}`
    const seen = URL.canParse(shown) ? new URL(shown) : undefined
    if (
      !seen ||
      !isLoopback(origin) ||
      !isLoopback(seen.origin) ||
      seen.hostname === own.hostname ||
      seen.port !== own.port ||
      originalUrl.includes('?')
    ) {
      return next()
    }
    // Append rather than resolve: a URL parser would treat the path `//evil.example` as another host.
    res.redirect(303, `${origin}${originForm(originalUrl)}?from=${seen.hostname}`)
  }
}
