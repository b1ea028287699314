import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorRequestHandler } from 'express'
import type { AuthError } from '../../backends/errors.js'
import { AUTH_PATH_PREFIX } from '../../contract/auth-contract.js'
import type { Logger } from '../log.js'
import { errorPage } from '../pages/error-page.js'
import { RETRY_AFTER_SECONDS, toAuthError, toProblem } from './problem.js'

/** Routes that a browser navigates to: their errors are pages there. */
const PAGES = new Set(
  ['signin', 'signout', 'callback', 'logout', 'logged-out'].map(
    (route) => `${AUTH_PATH_PREFIX}/${route}`,
  ),
)

/** Sends an error: a problem document, or a page when a person's browser asked. */
export function createErrorResponse(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) return next(thrown)
    const asPage = PAGES.has(req.path) && req.accepts(['json', 'html']) === 'html'
    sendError(logger, thrown, req, res, { asPage })
  }
}

/** The same without Express. The log has the cause; the answer has what a caller may know. */
export function sendError(
  logger: Logger,
  thrown: unknown,
  { requestId = '' }: IncomingMessage,
  res: ServerResponse,
  { asPage = false } = {},
): void {
  const answer = (error: AuthError): void => {
    const fields = { requestId, code: error.code, err: error.cause }
    if (error.status >= 500) logger.error(fields, error.message)
    else logger.info(fields, error.message)

    const problem = toProblem(error)
    const text = asPage
      ? errorPage({ ...problem, requestId, retryHref: '/' })
      : JSON.stringify(problem)
    for (const cookie of error.setCookies) res.appendHeader('Set-Cookie', cookie)
    if (error.status === 503) res.setHeader('Retry-After', String(RETRY_AFTER_SECONDS))
    res.statusCode = problem.status
    send(res, asPage ? 'text/html' : 'application/problem+json', text)
  }
  try {
    answer(toAuthError(thrown))
  } catch (cause) {
    // An error of a custom backend may carry what no header and no JSON can hold.
    answer(toAuthError(cause))
  }
}

/** Sends a text whole. */
export function send(res: ServerResponse, type: string, text: string): void {
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(text))
  res.end(text)
}
