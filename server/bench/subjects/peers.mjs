import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { emailOf, idOf, SECRET, SQL, subjectOf } from '../people.mjs'

export async function openPool(databaseUrl) {
  const { default: pg } = await import('pg')
  return new pg.Pool({ connectionString: databaseUrl })
}

/** The signature that `cookie` based libraries use: base64 of HMAC-SHA-256. */
const signed = (value) => `${value}.${createHmac('sha256', SECRET).update(value).digest('base64')}`

export const betterAuthOptions = (pool, port) => ({
  database: pool,
  secret: SECRET,
  baseURL: `http://localhost:${port}`,
  // Off: on in production, it would reject the load.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
})

const betterAuth = {
  id: 'better-auth',
  label: 'better-auth, get-session (own handler on node:http)',
  short: 'better-auth',
  database: 'better-auth',
  path: '/api/auth/get-session',
  seed: async ({ client, count, pool }) => {
    const { getMigrations } = await import('better-auth/db/migration')
    const { runMigrations } = await getMigrations(betterAuthOptions(pool, 80))
    await runMigrations()
    await client.query(
      `INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
       SELECT 'user-' || n, 'Person ' || n, ${SQL.email}, true, now(), now()
       FROM generate_series(1, $1::int) n`,
      [count],
    )
    await client.query(
      `INSERT INTO session (id, token, "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent")
       SELECT 'session-' || n, ${SQL.id}, 'user-' || n, now() + interval '7 days', now(), now(), '', 'bench'
       FROM generate_series(1, $1::int) n`,
      [count],
    )
  },
  requests: ({ picks }) =>
    picks.map((n) => ({
      cookie: `better-auth.session_token=${encodeURIComponent(signed(idOf(n)))}`,
      expect: `"${emailOf(n)}"`,
    })),
  serve: async ({ databaseUrl, port }) => {
    const [{ betterAuth }, { toNodeHandler }] = await Promise.all([
      import('better-auth'),
      import('better-auth/node'),
    ])
    const auth = betterAuth(betterAuthOptions(await openPool(databaseUrl), port))
    return createServer(toNodeHandler(auth))
  },
}

const expressSession = (touch) => ({
  id: touch ? 'express-session-touch' : 'express-session',
  label: `express-session + connect-pg-simple, touch ${touch ? 'on (its default: a write per read)' : 'off'}`,
  short: `express-session + pg, touch ${touch ? 'on' : 'off'}`,
  database: 'express-session',
  path: '/session',
  writes: touch && 'session',
  seed: async ({ client, count }) => {
    const { readFile } = await import('node:fs/promises')
    const table = new URL('../node_modules/connect-pg-simple/table.sql', import.meta.url)
    await client.query(await readFile(table, 'utf8'))
    await client.query(
      `INSERT INTO session SELECT ${SQL.id}, json_build_object(
         'cookie', json_build_object('originalMaxAge', 604800000,
           'expires', to_char(now() + interval '7 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'httpOnly', true, 'path', '/'),
         'user', json_build_object('subject', ${SQL.subject}, 'name', 'Person ' || n, 'email', ${SQL.email})),
         now() + interval '7 days'
       FROM generate_series(1, $1::int) n`,
      [count],
    )
  },
  requests: ({ picks }) =>
    picks.map((n) => ({
      cookie: `connect.sid=${encodeURIComponent(`s:${signed(idOf(n)).replace(/=+$/, '')}`)}`,
      expect: `"${subjectOf(n)}"`,
    })),
  serve: async ({ databaseUrl }) => {
    const [{ default: express }, { default: session }, { default: connectPg }] = await Promise.all([
      import('express'),
      import('express-session'),
      import('connect-pg-simple'),
    ])
    const store = new (connectPg(session))({
      pool: await openPool(databaseUrl),
      disableTouch: !touch,
    })
    const app = express()
    app.use(
      session({
        store,
        secret: SECRET,
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: 604_800_000 },
      }),
    )
    app.get('/session', (req, res) => {
      res.json({ authenticated: req.session.user !== undefined, user: req.session.user })
    })
    return createServer(app)
  },
})

const authJs = (indexed) => ({
  id: indexed ? 'auth-js-indexed' : 'auth-js',
  label: `Auth.js, database sessions, ${indexed ? 'an index added' : 'its documented schema (no index)'}`,
  short: `Auth.js, ${indexed ? 'index added' : 'documented schema'}`,
  database: indexed ? 'auth-js-indexed' : 'auth-js',
  path: '/auth/session',
  seed: async ({ client, count }) => {
    // The schema of the documentation of @auth/pg-adapter.
    await client.query(`
      CREATE TABLE verification_token (identifier TEXT NOT NULL, expires TIMESTAMPTZ NOT NULL,
        token TEXT NOT NULL, PRIMARY KEY (identifier, token));
      CREATE TABLE accounts (id SERIAL, "userId" INTEGER NOT NULL, type VARCHAR(255) NOT NULL,
        provider VARCHAR(255) NOT NULL, "providerAccountId" VARCHAR(255) NOT NULL, refresh_token TEXT,
        access_token TEXT, expires_at BIGINT, id_token TEXT, scope TEXT, session_state TEXT,
        token_type TEXT, PRIMARY KEY (id));
      CREATE TABLE sessions (id SERIAL, "userId" INTEGER NOT NULL, expires TIMESTAMPTZ NOT NULL,
        "sessionToken" VARCHAR(255) NOT NULL, PRIMARY KEY (id));
      CREATE TABLE users (id SERIAL, name VARCHAR(255), email VARCHAR(255), "emailVerified" TIMESTAMPTZ,
        image TEXT, PRIMARY KEY (id));`)
    await client.query(
      `INSERT INTO users (name, email, "emailVerified") SELECT 'Person ' || n, ${SQL.email}, now()
       FROM generate_series(1, $1::int) n ORDER BY n`,
      [count],
    )
    await client.query(
      `INSERT INTO sessions ("userId", expires, "sessionToken")
       SELECT n, now() + interval '30 days', ${SQL.id} FROM generate_series(1, $1::int) n ORDER BY n`,
      [count],
    )
    if (indexed) await client.query('CREATE UNIQUE INDEX ON sessions ("sessionToken")')
  },
  requests: ({ picks }) =>
    picks.map((n) => ({
      cookie: `authjs.session-token=${idOf(n)}`,
      expect: `"${emailOf(n)}"`,
    })),
  serve: async ({ databaseUrl }) => {
    const [
      { default: express },
      { ExpressAuth },
      { default: PostgresAdapter },
      { default: GitHub },
    ] = await Promise.all([
      import('express'),
      import('@auth/express'),
      import('@auth/pg-adapter'),
      import('@auth/express/providers/github'),
    ])
    const app = express()
    app.set('trust proxy', true)
    // It takes its base path from the first unnamed parameter, Express 4's `/auth/*`.
    app.use(
      /^\/auth\/(.*)/,
      ExpressAuth({
        adapter: PostgresAdapter(await openPool(databaseUrl)),
        providers: [GitHub({ clientId: 'bench', clientSecret: 'bench' })],
        secret: SECRET,
        trustHost: true,
      }),
    )
    return createServer(app)
  },
})

const ironOptions = {
  password: SECRET,
  cookieName: 'session',
  cookieOptions: { secure: false },
}

const ironSession = {
  id: 'iron-session',
  label: 'iron-session on Express 5 (stateless: it cannot revoke)',
  short: 'iron-session (stateless)',
  path: '/session',
  requests: async ({ picks }) => {
    const { sealData } = await import('iron-session')
    return Promise.all(
      picks.map(async (n) => {
        const user = { subject: subjectOf(n), name: `Person ${n}`, email: emailOf(n) }
        return {
          cookie: `session=${await sealData({ user }, { password: SECRET })}`,
          expect: `"${subjectOf(n)}"`,
        }
      }),
    )
  },
  serve: async () => {
    const [{ default: express }, { getIronSession }] = await Promise.all([
      import('express'),
      import('iron-session'),
    ])
    const app = express()
    app.get('/session', async (req, res) => {
      const { user } = await getIronSession(req, res, ironOptions)
      res.json({ authenticated: user !== undefined, user })
    })
    return createServer(app)
  },
}

/** Options of express-openid-connect, which reads the metadata at the first sign-in only. */
export const openIdConnectOptions = ({ port, issuer = 'http://127.0.0.1:9' }) => ({
  issuerBaseURL: issuer,
  baseURL: `http://localhost:${port}`,
  clientID: 'bench',
  clientSecret: 'bench-secret',
  secret: SECRET,
  authRequired: false,
  idTokenSigningAlg: 'ES256',
  authorizationParams: { response_type: 'code', scope: 'openid profile email' },
})

const ENROL = '/enrol'

const openIdConnect = {
  id: 'express-openid-connect',
  label: 'express-openid-connect (stateless: it cannot revoke)',
  short: 'express-openid-connect (stateless)',
  path: '/session',
  /** Its cookies are sealed by itself: a route of the benchmark puts a user into its session. */
  requests: async ({ picks, port }) => {
    const requests = []
    for (const n of picks) {
      const answer = await fetch(`http://127.0.0.1:${port}${ENROL}?n=${n}`)
      const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('appSession='))
      requests.push({ cookie: cookie.split(';', 1)[0], expect: `"${subjectOf(n)}"` })
    }
    return requests
  },
  serve: async ({ port }) => {
    const [{ default: express }, { default: oidc }] = await Promise.all([
      import('express'),
      import('express-openid-connect'),
    ])
    const app = express()
    app.use(oidc.auth(openIdConnectOptions({ port })))
    app.get(ENROL, (req, res) => {
      const claims = {
        iss: 'http://127.0.0.1:9',
        aud: 'bench',
        sub: subjectOf(req.query.n),
        name: `Person ${req.query.n}`,
        email: emailOf(req.query.n),
      }
      const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
      req.appSession.id_token = `${encode({ alg: 'ES256' })}.${encode(claims)}.signature`
      res.sendStatus(204)
    })
    app.get('/session', (req, res) => {
      res.json({ authenticated: req.oidc.isAuthenticated(), user: req.oidc.user })
    })
    return createServer(app)
  },
}

export default [
  betterAuth,
  expressSession(false),
  expressSession(true),
  authJs(true),
  authJs(false),
  ironSession,
  openIdConnect,
]
