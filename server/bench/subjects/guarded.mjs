import { createServer } from 'node:http'
import peers, { betterAuthOptions, openPool } from './peers.mjs'
import { asProcess, built, common, PREFIX } from './service.mjs'

const AUDIENCE = 'https://orders.example.test'
const PATH = '/orders'

/** The authentication service that the guards of the service ask. */
export const guardService = {
  ...common,
  id: 'guard-service',
  label: 'The authentication service of the guards',
  path: `${PREFIX}/session`,
  process: {
    ...asProcess,
    environment: (options) => ({
      ...asProcess.environment(options),
      NETSCRIPT_AUTH_TOKEN_AUDIENCES: AUDIENCE,
    }),
  },
}

/** Requests of the users, for the user id that a guard returns. */
const requestsOf = async (picks) =>
  (await common.requests({ picks })).map(({ cookie }, at) => ({
    cookie,
    expect: `"user-${picks[at]}"`,
  }))

/** One route of an Express 5 app behind a guard of the service. */
const guarded = ({
  id,
  label,
  staleSeconds,
  authenticator,
  requests = ({ picks }) => requestsOf(picks),
}) => ({
  id,
  label,
  staleSeconds,
  ours: true,
  path: PATH,
  requests,
  serve: async ({ service }) => {
    const [{ default: express }, guard] = await Promise.all([
      import('express'),
      import(built('client/guard', 'index.js')),
    ])
    const app = express()
    app.use(guard.withAuthn({ authenticator: authenticator(guard, service) }))
    app.get(PATH, guard.requireSession(), (req, res) => {
      res.json({ ordersOf: req.principal.subject })
    })
    return createServer(app)
  },
})

const asks = guarded({
  id: 'guard-asks',
  label: 'This guard, asks the service each time',
  staleSeconds: 0,
  authenticator: ({ createSessionAuthenticator }, service) =>
    createSessionAuthenticator({ baseUrl: service }),
})

const cached = guarded({
  id: 'guard-cache',
  label: 'This guard, a cache of 5 s',
  staleSeconds: 5,
  authenticator: ({ createSessionAuthenticator }, service) =>
    createSessionAuthenticator({ baseUrl: service, cacheForMs: 5_000, cacheMaxEntries: 10_000 }),
})

const token = guarded({
  id: 'guard-token',
  label: 'This guard, a token verified offline',
  staleSeconds: 300,
  authenticator: ({ createTokenAuthenticator }, service) =>
    // Tokens name the origin of the redirect URI, which is on localhost.
    createTokenAuthenticator({
      issuer: service.replace('127.0.0.1', 'localhost'),
      audience: AUDIENCE,
      jwksUrl: `${service}/.well-known/jwks.json`,
    }),
  requests: async ({ picks, service }) => {
    const requests = []
    for (const { cookie, expect } of await requestsOf(picks)) {
      const answer = await fetch(`${service}${PREFIX}/token`, {
        method: 'POST',
        headers: { cookie, 'content-type': 'application/json' },
        body: JSON.stringify({ audience: AUDIENCE }),
      })
      const { token } = await answer.json()
      requests.push({ headers: { Authorization: `Bearer ${token}` }, expect })
    }
    return requests
  },
})

/** Its signed cookie holds the session; the default of the cache is five minutes. */
const betterAuthCookie = {
  id: 'better-auth-cookie-cache',
  label: 'better-auth, its cookie cache',
  staleSeconds: 300,
  database: 'better-auth',
  seed: peers.find(({ id }) => id === 'better-auth').seed,
  path: PATH,
  requests: async ({ picks, port }) => {
    const plain = await peers.find(({ id }) => id === 'better-auth').requests({ picks })
    const requests = []
    for (const { cookie, expect } of plain) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/auth/get-session`, {
        headers: { cookie },
      })
      const cookies = answer.headers.getSetCookie().map((one) => one.split(';', 1)[0])
      const data = cookies.filter((one) => one.includes('session_data'))
      if (data.length === 0) throw new Error('better-auth set no session_data cookie.')
      requests.push({ cookie: [cookie, ...data].join('; '), expect })
    }
    return requests
  },
  serve: async ({ databaseUrl, port }) => {
    const [{ default: express }, { betterAuth }, { fromNodeHeaders, toNodeHandler }] =
      await Promise.all([import('express'), import('better-auth'), import('better-auth/node')])
    const auth = betterAuth({
      ...betterAuthOptions(await openPool(databaseUrl), port),
      session: { cookieCache: { enabled: true, maxAge: 300 } },
    })
    const app = express()
    app.all('/api/auth/*path', toNodeHandler(auth))
    app.get(PATH, async (req, res) => {
      const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) })
      if (!found) return void res.status(401).end()
      res.json({ ordersOf: found.user.id, email: found.user.email })
    })
    return createServer(app)
  },
}

const openIdConnect = {
  ...peers.find(({ id }) => id === 'express-openid-connect'),
  id: 'express-openid-connect-guard',
  label: 'express-openid-connect, its encrypted cookie',
  staleSeconds: Infinity,
}

export default [asks, cached, token, openIdConnect, betterAuthCookie]
