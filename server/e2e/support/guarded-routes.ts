const AUTHENTICATOR = `createSessionAuthenticator({ baseUrl: 'http://localhost:3000' })`

/** A guarded route, by host: what is added to the file of its example, or a file of its own. */
export const GUARDED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Express: {
    'app.ts': `import { createSessionAuthenticator, requireSession, withAuthn } from '@netscript/auth-guard'
app.use(withAuthn({ authenticator: ${AUTHENTICATOR} }))
app.get('/orders', requireSession(), (req, res) => {
  res.json({ ordersOf: req.principal.subject })
})`,
  },
  Fastify: {
    'app.ts': `import { createSessionAuthenticator } from '@netscript/auth-guard'
import { authGuard, requireSession } from '@netscript/auth-guard/fastify'
await app.register(authGuard, { authenticator: ${AUTHENTICATOR} })
app.get('/orders', { onRequest: requireSession() }, async (request) => ({
  ordersOf: request.principal.subject,
}))`,
  },
  Hono: {
    'app.ts': `import { createSessionAuthenticator } from '@netscript/auth-guard'
import { authGuard, requireSession } from '@netscript/auth-guard/hono'
app.use(authGuard({ authenticator: ${AUTHENTICATOR} }))
app.get('/orders', requireSession(), (c) => c.json({ ordersOf: c.get('principal').subject }))`,
  },
  'Next.js': {
    'app/orders/route.ts': `import { createSessionAuthenticator } from '@netscript/auth-guard'
import { createNextGuard } from '@netscript/auth-guard/next'
import { headers } from 'next/headers'
const { protect } = createNextGuard({ authenticator: ${AUTHENTICATOR}, headers })
export const GET = protect((_request, principal) => Response.json({ ordersOf: principal.subject }))`,
  },
}
