import { createServer } from 'node:net'
import { z } from 'zod'
import { accountContractV1 } from '@netscript/auth-contract'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { type Check, CHECK_TIMEOUT_MS, fail, failWith, type Finding, ok } from './finding.js'
import { providerReaders } from '../../config/providers.js'

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
function listeningError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => resolve(code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** Fetches JSON from a URL; `undefined` when there is none. */
async function getJson(url: string): Promise<unknown> {
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

const Description = z.object({ providers: z.array(z.object({ id: z.string() })) })

/** Checks that the local provider can run, when no other provider is configured. */
export const checkLocalProvider: Check = async ({ config, env }) => {
  const { variables, production, host } = config
  const isWanted =
    !production &&
    variables.NETSCRIPT_AUTH_BACKEND === 'kv-oauth' &&
    providerReaders(variables, env).length === 0
  if (!isWanted) return []
  const missing = await missingParts()
  if (missing !== undefined) return [failWith('LOCAL_PROVIDER', missing)]
  const port = variables.NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT
  if (port === 0) return []
  if ((await listeningError('127.0.0.1', port)) === undefined) {
    return [ok('LOCAL_PROVIDER', `Port ${port} is free for the local provider.`)]
  }
  const service = `http://${reachable(host)}:${variables.PORT}`
  const [isProvider, isOurs] = await Promise.all([
    isLocalProvider(`http://localhost:${port}`),
    variables.PORT !== 0 && runsWithLocalProvider(service),
  ])
  return [inUse(port, isProvider, isOurs)]
}

/** Why this installation cannot start a local provider; `undefined` when it can. */
async function missingParts(): Promise<string | undefined> {
  const { loadLocalProvider } = await import('../../local/development.js')
  try {
    await loadLocalProvider()
    return undefined
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    return error.message
  }
}

async function isLocalProvider(issuer: string): Promise<boolean> {
  const metadata = await getJson(`${issuer}/.well-known/openid-configuration`)
  return z.object({ issuer: z.literal(issuer) }).safeParse(metadata).success
}

async function runsWithLocalProvider(service: string): Promise<boolean> {
  const described = Description.safeParse(await getJson(service + accountContractV1.describe.path))
  return described.success && described.data.providers.some(({ id }) => id === 'local')
}

function inUse(port: number, isProvider: boolean, isOurs: boolean): Finding {
  if (isProvider && isOurs) {
    return ok('LOCAL_PROVIDER', `The local provider of the service runs on port ${port}.`)
  }
  return fail(
    'LOCAL_PROVIDER',
    isProvider
      ? `Port ${port}, for the local provider, is in use by that of another service.`
      : `Something else listens on port ${port}, which the local provider needs.`,
    'Stop it, or set NETSCRIPT_AUTH_LOCAL_PROVIDER_PORT to another.',
  )
}
