import { createServer } from 'node:net'
import { z } from 'zod'
import { type Check, CHECK_TIMEOUT_MS, fail, type Finding, ok } from './finding.js'

/** The fields of `/health` that identify this service. */
const Health = z.object({
  status: z.enum(['healthy', 'unhealthy']),
  version: z.string(),
  checks: z.array(z.object({ name: z.string() })).min(1),
})

/** Checks that the service can listen on its port, or already does. */
export const checkPort: Check = async ({ config: { host, variables } }) => {
  const { PORT: port, NETSCRIPT_AUTH_BACKEND: backend } = variables
  return [await portFinding(host, port, backend)]
}

async function portFinding(host: string, port: number, backend: string): Promise<Finding> {
  if (port === 0) return ok('PORT', 'PORT is 0: the service takes any free port.')
  const refused = await listeningError(host, port)
  if (refused === undefined) return ok('PORT', `Port ${port} of ${host} is free.`)
  if (refused === 'EACCES') {
    return fail('PORT', `Port ${port} is for administrators only.`, 'Set PORT to 1024 or more.')
  }
  if (refused !== 'EADDRINUSE') {
    return fail(
      'PORT',
      `The service cannot listen on ${host} (${refused}).`,
      'Correct NETSCRIPT_AUTH_HOST: it must be an address of this machine.',
    )
  }
  return servedBy(host, port, backend)
}

async function servedBy(host: string, port: number, backend: string): Promise<Finding> {
  const health = Health.safeParse(await getJson(`http://${reachable(host)}:${port}/health`))
  if (!health.success) {
    return fail(
      'PORT',
      `Something else listens on port ${port}.`,
      'Stop it, or set PORT to another and the redirect URI with it.',
    )
  }
  const { version, status, checks } = health.data
  const [running] = checks
  const message = `Port ${port} is served by NetScript Auth ${version} with ${running?.name}`
  if (running?.name !== backend) {
    return fail(
      'PORT',
      `${message}, but ${backend} is configured.`,
      'Start the service again to use what is configured.',
    )
  }
  return status === 'healthy'
    ? ok('PORT', `${message}, which is healthy.`)
    : fail(
        'PORT',
        `${message}, which is not healthy.`,
        'See the other findings and the log of the service.',
      )
}

/** The error code when listening fails; absent when it succeeds. */
export function listeningError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve(code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** Fetches JSON from a URL; `undefined` when there is none. */
export async function getJson(url: string): Promise<unknown> {
  try {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS)
    const response = await fetch(url, { redirect: 'manual', signal })
    return await response.json()
  } catch {
    return undefined
  }
}

/** The host to send requests to: a wildcard address is replaced with loopback. */
export function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
