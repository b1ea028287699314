import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { SQL, subjectOf } from '../people.mjs'

/** The built packages; their own modules create the cookies and tables. */
export const built = (folder, module) =>
  new URL(`../../../${folder}/dist/${module}`, import.meta.url).href

export const KEY = createHash('sha256').update('the key of the benchmark').digest('base64url')
export const PREFIX = '/api/v1/auth'

const digest = (text) => createHash('sha256').update(text).digest('base64url')
const secretOf = (n) => digest(`bench:${n}`)

const sqlBase64url = (bytes) => `translate(encode(${bytes}, 'base64'), '+/=', '-_')`
const sqlDigest = (text) => sqlBase64url(`sha256(convert_to(${text}, 'UTF8'))`)
const SQL_ID = sqlDigest(sqlDigest(`'bench:' || n`))

/** The session entry as a sign-in writes it. */
const SQL_ENTRY = `json_build_object('value', json_build_object(
  'id', id, 'userId', 'user-' || n, 'providerId', 'oidc', 'issuer', 'http://127.0.0.1/bench',
  'subject', ${SQL.subject}, 'auditSubject', left(id, 22),
  'scopes', json_build_array('openid', 'profile', 'email'), 'roles', json_build_array(),
  'claims', json_build_object('sub', ${SQL.subject}, 'name', 'Person ' || n, 'email', ${SQL.email},
    'email_verified', true),
  'user', json_build_object('displayName', 'Person ' || n, 'email', ${SQL.email}, 'emailVerified', true),
  'userAgent', 'bench', 'issuedAt', now_ms, 'expiresAt', now_ms + 86400000,
  'absoluteExpiresAt', now_ms + 604800000, 'version', 1), 'expires', now_ms + 86400000)::text`

/** The migrations of the service. */
export async function createTables({ pool }) {
  const { applyMigrations } = await import(built('prisma', 'migrate.js'))
  await applyMigrations(pool)
}

export const common = {
  database: 'service',
  seed: async ({ client, count, pool }) => {
    await createTables({ pool })
    await client.query(
      `INSERT INTO auth_keyv (key, value) SELECT 'session:' || id, ${SQL_ENTRY}
       FROM (SELECT n, ${SQL_ID} AS id, (extract(epoch FROM now()) * 1000)::bigint AS now_ms
             FROM generate_series(1, $1::int) n) AS sessions`,
      [count],
    )
  },
  requests: async ({ picks }) => {
    const { parseKeyring, sign } = await import(built('backends', 'keyring.js'))
    const [key] = parseKeyring(KEY).keys('session-token')
    return picks.map((n) => ({
      cookie: `__Host-ns_session=${secretOf(n)}.${sign(key, secretOf(n))}`,
      expect: `"${subjectOf(n)}"`,
    }))
  },
}

/** `netscript start` from the build: production rules, its log written to a file. */
export const asProcess = {
  program: new URL(built('server', 'cli/main.js')).pathname,
  args: ['start'],
  environment: ({ port, databaseUrl, issuer = 'http://127.0.0.1:9', logLevel = 'info' }) => ({
    PORT: String(port),
    NETSCRIPT_AUTH_HOST: '127.0.0.1',
    DATABASE_URL: databaseUrl,
    NETSCRIPT_AUTH_KV_OAUTH_KEY: KEY,
    NETSCRIPT_AUTH_ISSUER: issuer,
    NETSCRIPT_AUTH_CLIENT_ID: 'bench',
    NETSCRIPT_AUTH_CLIENT_SECRET: 'bench-secret',
    NETSCRIPT_AUTH_REDIRECT_URI: `http://localhost:${port}${PREFIX}/callback`,
    NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS: 'true',
    NETSCRIPT_AUTH_RATE_LIMIT: '1000000',
    NETSCRIPT_AUTH_LOG_LEVEL: logLevel,
  }),
  readyPath: '/health/ready',
}

const session = {
  ...common,
  id: 'session',
  label: 'This service, GET /session',
  short: 'this service, GET /session',
  ours: true,
  path: `${PREFIX}/session`,
  process: asProcess,
}

const me = {
  ...session,
  id: 'me',
  label: 'This service, GET /me',
  short: 'this service, GET /me',
  path: `${PREFIX}/me`,
}

/** Without the log line per request, which no peer writes. */
const quiet = {
  ...session,
  id: 'quiet',
  label: 'This service, GET /session, log level warn',
  short: 'this service, no request log',
  process: {
    ...asProcess,
    environment: (options) => asProcess.environment({ ...options, logLevel: 'warn' }),
  },
}

/** The Express app, in place of the listener for node:http. */
const route = {
  ...common,
  id: 'route',
  label: 'createAuthApp, all through Express, GET /session',
  short: 'the same through Express',
  ours: true,
  path: `${PREFIX}/session`,
  serve: async ({ databaseUrl }) => {
    const [{ createAuthApp }, { createKvOAuthBackend, defineOAuthProvider }] = await Promise.all([
      import(built('server', 'adapters/express.js')),
      import(built('backends/kv-oauth', 'index.js')),
    ])
    process.env.DATABASE_URL = databaseUrl
    const origin = 'http://localhost:9'
    const backend = await createKvOAuthBackend({
      provider: defineOAuthProvider({
        id: 'oidc',
        issuer: 'http://127.0.0.1:9',
        clientId: 'bench',
        clientSecret: 'bench-secret',
        redirectUri: `${origin}${PREFIX}/callback`,
      }),
      key: KEY,
      allowInsecureRequests: true,
    })
    return createServer(createAuthApp({ backend, origin }))
  },
}

export default [session, me, quiet, route]
