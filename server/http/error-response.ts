import type { ErrorRequestHandler } from 'express'
import { AUTH_PATH_PREFIX } from '../../contract/auth-contract.js'
import { errorPage } from '../pages/error-page.js'
import { RETRY_AFTER_SECONDS, toAuthError, toProblem } from './problem.js'

/** Routes that a browser navigates to: their errors are pages there. */
const PAGES = new Set(
  ['signin', 'signout', 'callback', 'logout', 'logged-out'].map(
    (route) => `${AUTH_PATH_PREFIX}/${route}`,
  ),
)

/** Sends an error: a problem document, or a page when a person's browser asked. */
export const errorResponse: ErrorRequestHandler = (thrown: unknown, req, res, next) => {
  if (res.headersSent) return next(thrown)
  const error = toAuthError(thrown)
  const fields = { code: error.code, err: error.cause }
  if (error.status >= 500) req.log.error(fields, error.message)
  else req.log.info(fields, error.message)

  for (const cookie of error.setCookies) res.append('Set-Cookie', cookie)
  if (error.status === 503) res.setHeader('Retry-After', String(RETRY_AFTER_SECONDS))
  const problem = toProblem(error)
  res.status(problem.status)
  if (PAGES.has(req.path) && req.accepts(['json', 'html']) === 'html') {
    const requestId = typeof req.id === 'string' ? req.id : ''
    res.type('html').send(errorPage({ ...problem, requestId, retryHref: '/' }))
  } else {
    res.type('application/problem+json').send(JSON.stringify(problem))
  }
}
