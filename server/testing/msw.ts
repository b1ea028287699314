/**
 * Handlers for Mock Service Worker.
 *
 * @module
 */
import { AUTH_PATH_PREFIX, discoveryContractV1 } from '@netscript/auth-contract'
import { http, type HttpHandler, HttpResponse } from 'msw'
import { headersOf, type TestFetch } from './engine-fetch.js'

/**
 * Creates handlers that answer the requests of a page to the API, on any origin, as if the page ran in
 * the browser of `caller`: a user of `signInAs`, or `auth.browser()`, in which no user is signed in yet.
 *
 * @example
 * ```ts
 * import { createTestAuth } from '@netscript/auth-testing'
 * import { setupServer } from 'msw/node'
 *
 * const auth = await createTestAuth()
 * const server = setupServer(...authHandlers(await auth.signInAs({ name: 'Ada' })))
 * ```
 */
export function authHandlers(caller: { readonly fetch: TestFetch }): HttpHandler[] {
  const answer = async ({ request }: { request: Request }): Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    // Whatever origin the page has in the test, it is a page of the API's own.
    const { cookie: _cookie, origin: _origin, ...others } = headersOf(request.headers)
    const { 'sec-fetch-site': _site, ...headers } = others
    const { method } = request
    const hasBody = method !== 'GET' && method !== 'HEAD' && request.body !== null
    const response = await caller.fetch(pathname + search, {
      method,
      headers,
      ...(hasBody && { body: await request.arrayBuffer() }),
    })
    // The browser of `caller` keeps the cookies; MSW would send them in later tests.
    const fields = [...response.headers].filter(([name]) => name !== 'set-cookie')
    return new HttpResponse(response.body, { status: response.status, headers: fields })
  }
  return [
    http.all(`*${AUTH_PATH_PREFIX}/*`, answer),
    http.get(`*${discoveryContractV1.jwks.path}`, answer),
  ]
}
