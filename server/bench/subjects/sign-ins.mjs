import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { sign } from '../people.mjs'
import { asProcess, createTables } from './service.mjs'
import { openIdConnectOptions } from './peers.mjs'

const SCOPE = 'openid profile email'

/**
 * The flow with nothing around it: the transaction in a signed cookie, openid-client, one INSERT.
 * Handlers take what node:http gives, and Express has the same.
 */
async function bareFlow({ databaseUrl, port, issuer }) {
  const [{ default: pg }, client] = await Promise.all([import('pg'), import('openid-client')])
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const redirectUri = `http://localhost:${port}/callback`
  // Verifies the signature of every id_token, as the service does.
  const configuration = await client.discovery(
    new URL(issuer),
    'bench',
    'bench-secret',
    undefined,
    { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
  )
  const cookie = (req, name) =>
    new RegExp(`(?:^|; )${name}=([^;]*)`).exec(req.headers.cookie ?? '')?.[1] ?? ''
  const redirect = (res, location, setCookie) => {
    res.writeHead(302, { Location: location, 'Set-Cookie': `${setCookie}; HttpOnly; Path=/` })
    res.end()
  }
  return {
    async login(_req, res) {
      const [state, nonce, verifier] = [
        client.randomState(),
        client.randomNonce(),
        client.randomPKCECodeVerifier(),
      ]
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      const flow = `${state}.${nonce}.${verifier}`
      redirect(res, url.href, `flow=${flow}.${sign(flow)}`)
    },
    async callback(req, res) {
      const [state, nonce, verifier, signature] = cookie(req, 'flow').split('.')
      if (sign(`${state}.${nonce}.${verifier}`) !== signature) throw new Error('No such flow.')
      const url = new URL(req.url, redirectUri)
      const tokens = await client.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const id = randomBytes(32).toString('base64url')
      const { sub, name, email } = tokens.claims()
      await pool.query({
        name: 'create_session',
        text: `INSERT INTO sessions VALUES ($1, $2, now() + interval '7 days')`,
        values: [id, JSON.stringify({ subject: sub, name, email })],
      })
      redirect(res, '/', `sid=${id}.${sign(id)}`)
    },
    async session(req, res) {
      const [id, signature] = cookie(req, 'sid').split('.')
      if (sign(id) !== signature) throw new Error('No such session.')
      const { rows } = await pool.query('SELECT data FROM sessions WHERE id = $1', [id])
      res.end(JSON.stringify(rows[0]?.data ?? {}))
    },
  }
}

const bare = {
  database: 'sign-in-floor',
  tidy: { emptied: ['sessions'] },
  flow: {
    start: { path: '/login' },
    answer: 'redirect',
    sessionCookie: 'sid',
    read: '/session',
  },
  seed: async ({ client }) => {
    await client.query(
      'CREATE TABLE sessions (id text PRIMARY KEY, data json NOT NULL, expires_at timestamptz NOT NULL)',
    )
  },
}

/** The minimum cost of a sign-in. */
const floor = {
  ...bare,
  id: 'sign-in-floor',
  label: 'Floor: openid-client and one INSERT on node:http',
  serve: async (options) => {
    const { login, callback, session } = await bareFlow(options)
    const routes = { '/login': login, '/callback': callback, '/session': session }
    return createServer((req, res) => {
      const route = routes[req.url.split('?', 1)[0]]
      if (!route) return void res.writeHead(404).end()
      route(req, res).catch((error) => res.writeHead(500).end(error.message))
    })
  },
}

const expressFloor = {
  ...bare,
  id: 'sign-in-express',
  label: 'The same on Express 5',
  serve: async (options) => {
    const [{ default: express }, { login, callback, session }] = await Promise.all([
      import('express'),
      bareFlow(options),
    ])
    const app = express()
    app.get('/login', login).get('/callback', callback).get('/session', session)
    return createServer(app)
  },
}

const service = {
  id: 'sign-in',
  label: 'This service',
  ours: true,
  database: 'sign-in',
  tidy: {
    emptied: ['auth_provider_tokens', 'auth_keyv'],
    vacuumed: ['auth_users', 'auth_accounts', 'auth_rate_limits'],
  },
  seed: createTables,
  process: asProcess,
  flow: {
    start: {
      method: 'POST',
      path: '/api/v1/auth/signin',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    },
    answer: 'json',
    sessionCookie: '__Host-ns_session',
    read: '/api/v1/auth/me',
  },
}

const openIdConnect = {
  id: 'sign-in-express-openid-connect',
  label: 'express-openid-connect (stateless: it stores nothing)',
  flow: {
    start: { path: '/login' },
    answer: 'redirect',
    sessionCookie: 'appSession',
    read: '/session',
  },
  serve: async ({ port, issuer }) => {
    const [{ default: express }, { default: oidc }] = await Promise.all([
      import('express'),
      import('express-openid-connect'),
    ])
    const app = express()
    app.use(oidc.auth(openIdConnectOptions({ port, issuer })))
    app.get('/session', (req, res) => {
      res.json({ authenticated: req.oidc.isAuthenticated(), user: req.oidc.user })
    })
    return createServer(app)
  },
}

export default [floor, expressFloor, service, openIdConnect]
