import { initContract } from '@ts-rest/core'
import { createExpressEndpoints } from '@ts-rest/express'
import { Router } from 'express'
import { z } from 'zod'
import type { AnonymousReason } from '../../backends/port.js'
import type { Authentication } from './authenticator.js'
import { guardContract } from './express.js'

// Compiled by `npm run check`, never run. Errors are expected where @ts-expect-error says so.

const c = initContract()
const responses = { 200: z.object({ of: z.string() }) }
const orders = c.router({
  list: {
    method: 'GET',
    path: '/orders',
    responses,
    metadata: { auth: { scopes: ['orders:read'], roles: ['clerk'] } },
  },
  status: {
    open: { method: 'GET', path: '/open', responses, metadata: { auth: { public: true } } },
  },
})

createExpressEndpoints(
  orders,
  {
    list: async ({ req }) => ({ status: 200, body: { of: req.principal.subject } }),
    status: {
      open: async ({ req }) => {
        // @ts-expect-error The principal is read-only.
        req.principal = { subject: 'somebody else' }
        return { status: 200, body: { of: '' } }
      },
    },
  },
  Router(),
  { globalMiddleware: [guardContract(orders)] },
)

const silent = c.router({ list: { method: 'GET', path: '/orders', responses } })
// @ts-expect-error A route without metadata.auth is rejected.
guardContract(silent)

// Apart, since compilers report a literal at different places.
const misspeltAuth = { scope: ['orders:read'] }
const misspelt = c.router({
  list: { method: 'GET', path: '/o', responses, metadata: { auth: misspeltAuth } },
})
// @ts-expect-error It must be `scopes`.
guardContract(misspelt)

const wrong = c.router({
  list: { method: 'GET', path: '/o', responses, metadata: { auth: 'anybody' } },
})
// @ts-expect-error It must be an object.
guardContract(wrong)

/** Guards and backends share the names of reasons. */
export const reasonOfBackend = (
  reason: Extract<Authentication, { ok: false }>['reason'],
): AnonymousReason => reason
