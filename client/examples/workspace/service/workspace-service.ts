import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { Pool } from 'pg'
import {
  createSessionAuthenticator,
  requireSession,
  requireRecentAuth,
  requireRoles,
  requireScopes,
  withAuthn,
} from '@netscript/auth-guard'
import { type Members, openMembers } from './members.js'
import { type ProviderAccess, providerProfile } from './provider-profile.js'

/** Options of {@link startWorkspaceService}. */
export interface WorkspaceServiceOptions extends ProviderAccess {
  /** URL of the service's own Postgres database. */
  databaseUrl: string
}

/** A running workspace service. */
export interface WorkspaceService {
  readonly url: string
  close(): Promise<void>
}

/**
 * Routes to list the members of a workspace and to join it, which require the scope; to remove a member,
 * which requires a role and a recent sign-in; and what the provider knows of the caller.
 */
export function createWorkspaceApp(access: ProviderAccess, members: Members): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(withAuthn({ authenticator: createSessionAuthenticator({ baseUrl: access.authUrl }) }))
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

  const admin = [requireRoles('admin'), requireRecentAuth({ maxAge: 300 })]
  app.delete(`${path}/:subject`, ...admin, async (req, res) => {
    const { workspace, subject } = req.params
    res.sendStatus((await members.remove(String(workspace), String(subject))) ? 204 : 404)
  })

  app.get('/api/provider-profile', requireSession(), async (req, res) => {
    res.json((await providerProfile(access, req.headers.cookie ?? '')) ?? {})
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
  ...access
}: WorkspaceServiceOptions): Promise<WorkspaceService> {
  const pool = new Pool({ connectionString: databaseUrl, max: 5 })
  // Without a listener, an error of an idle connection would crash the process.
  pool.on('error', () => {})
  const app = createWorkspaceApp(access, await openMembers(pool))
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
