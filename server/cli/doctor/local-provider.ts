import { z } from 'zod'
import { accountContractV1 } from '@netscript/auth-contract'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { providerReaders } from '../../config/providers.js'
import { type Check, fail, failWith, type Finding, ok } from './finding.js'
import { getJson, listeningError, reachable } from './port.js'

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
