import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Pool } from 'pg'
import { createSessionAuthenticator, requireScopes, withAuthn } from '@netscript/auth-guard'
import { type Members, openMembers } from './members.js'

/** Options of {@link startWorkspaceService}. */
export interface WorkspaceServiceOptions {
  /** URL of the service's own Postgres database. */
  databaseUrl: string
  /** URL of the authentication service. */
  authUrl: string
}

/** A running workspace service. */
export interface WorkspaceService {
  readonly url: string
  close(): Promise<void>
}

/** Two routes, to list the members of a workspace and to join it. Both require the scope. */
export function createWorkspaceApp(authUrl: string, members: Members): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(withAuthn({ authenticator: createSessionAuthenticator({ baseUrl: authUrl }) }))
  const path = '/api/workspace/:workspace/members'
  app.param('workspace', (_req, res, next, workspace: string) => {
    if (/^[a-z0-9-]{1,64}$/.test(workspace)) next()
    else res.sendStatus(404)
  })

  app.get(path, requireScopes('workspace:read'), async (req, res) => {
    const list = await members.list(String(req.params.workspace))
    res.json({ members: list, you: req.principal.subject })
  })

  app.post(path, requireScopes('workspace:read'), async (req, res) => {
    // CSRF: a page of another site can post a form with the cookie, but not JSON.
    if (!req.is('application/json')) return void res.sendStatus(415)
    const { subject, claims } = req.principal
    const name = typeof claims.name === 'string' ? claims.name : 'Unnamed member'
    await members.add(String(req.params.workspace), { subject, name })
    res.sendStatus(204)
  })
  app.use(sayNothing)
  return app
}

/** Logs errors instead of sending them: the default handler of Express exposes the stack. */
const sayNothing: ErrorRequestHandler = (error: { status?: number }, req, res, next) => {
  if (res.headersSent) return next(error)
  const status = error.status ?? 500
  if (status >= 500) console.error(req.method, req.path, error)
  res.sendStatus(status)
}

/** Creates the table and listens on a free port of 127.0.0.1. */
export async function startWorkspaceService({
  databaseUrl,
  authUrl,
}: WorkspaceServiceOptions): Promise<WorkspaceService> {
  const pool = new Pool({ connectionString: databaseUrl, max: 5 })
  // Without a listener, an error of an idle connection would crash the process.
  pool.on('error', () => {})
  const app = createWorkspaceApp(authUrl, await openMembers(pool))
  const server = await new Promise<Server>((listening, failed) => {
    const started: Server = app.listen(0, '127.0.0.1', (error) =>
      error ? failed(error) : listening(started),
    )
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await new Promise((done) => server.close(done))
      await pool.end()
    },
  }
}
