import { timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { emailOf, idOf, sign, SQL, SQL_SESSION, subjectOf } from '../people.mjs'

const READ = {
  name: 'read_session',
  text: 'SELECT data FROM sessions WHERE id = $1 AND expires_at > now()',
}

const seed = async ({ client, count }) => {
  await client.query(
    'CREATE TABLE sessions (id text PRIMARY KEY, data json NOT NULL, expires_at timestamptz NOT NULL)',
  )
  await client.query(
    `INSERT INTO sessions SELECT ${SQL.id}, ${SQL_SESSION}, now() + interval '7 days'
     FROM generate_series(1, $1::int) n`,
    [count],
  )
}

const requests = ({ picks }) =>
  picks.map((n) => ({
    cookie: `sid=${idOf(n)}.${sign(idOf(n))}`,
    expect: `"${subjectOf(n)}"`,
  }))

/** The session of a request: the signature checked, then one prepared SELECT by primary key. */
async function readSession(pool, cookieHeader) {
  const [id, signature] = /(?:^|; )sid=([^;]*)/.exec(cookieHeader ?? '')?.[1]?.split('.') ?? []
  if (!id || !signature) return undefined
  const [given, expected] = [Buffer.from(signature), Buffer.from(sign(id))]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return (await pool.query({ ...READ, values: [id] })).rows[0]?.data
}

const body = (session) => (session ? { authenticated: true, session } : { authenticated: false })

async function openPool(databaseUrl) {
  const { default: pg } = await import('pg')
  return new pg.Pool({ connectionString: databaseUrl })
}

/** Shape of a response about one user. */
const constantAnswer = {
  authenticated: true,
  session: {
    id: idOf(1),
    userId: 'user-1',
    subject: subjectOf(1),
    providerId: 'oidc',
    state: 'active',
    scopes: ['openid', 'profile', 'email'],
    roles: [],
    claims: { sub: subjectOf(1), name: 'Person 1', email: emailOf(1), email_verified: true },
    issuedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2036-01-01T00:00:00.000Z',
  },
}

/** The upper bound of node:http. */
const constant = {
  id: 'f0',
  label: 'Bare node:http, a constant answer',
  short: 'node:http, a constant',
  path: '/session',
  requests: () => [{ cookie: 'sid=0', expect: `"${emailOf(1)}"` }],
  serve: async () => {
    const answer = JSON.stringify(constantAnswer)
    return createServer((_req, res) => {
      res.setHeader('Content-Type', 'application/json; charset=utf-8')
      res.end(answer)
    })
  },
}

/** The upper bound of Express. */
const expressConstant = {
  ...constant,
  id: 'express',
  label: 'Express 5, a constant',
  short: 'Express 5, a constant',
  serve: async () => {
    const { default: express } = await import('express')
    const app = express()
    app.get('/session', (_req, res) => void res.json(constantAnswer))
    return createServer(app)
  },
}

/** The minimum cost of reading a session from Postgres without batching. */
const bare = {
  id: 'f1',
  label: 'Bare node:http with one SQL query',
  short: 'node:http + 1 query',
  database: 'floor',
  path: '/session',
  seed,
  requests,
  serve: async ({ databaseUrl }) => {
    const pool = await openPool(databaseUrl)
    return createServer((req, res) => {
      readSession(pool, req.headers.cookie).then(
        (session) => {
          res.setHeader('Content-Type', 'application/json; charset=utf-8')
          res.end(JSON.stringify(body(session)))
        },
        () => {
          res.statusCode = 503
          res.end()
        },
      )
    })
  },
}

/** The same on Express 5 with its defaults. */
const express = {
  id: 'f2',
  label: 'Express 5 with one SQL query',
  short: 'Express 5 + 1 query',
  database: 'floor',
  path: '/session',
  seed,
  requests,
  serve: async ({ databaseUrl }) => {
    const pool = await openPool(databaseUrl)
    const { default: express } = await import('express')
    const app = express()
    app.get('/session', async (req, res) => {
      res.json(body(await readSession(pool, req.headers.cookie)))
    })
    return createServer(app)
  },
}

export default [constant, expressConstant, bare, express]
