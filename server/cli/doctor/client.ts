import { randomBytes } from 'node:crypto'
import type { ClientAuthMethod, OAuthProvider } from '@netscript/auth-kv-oauth'
import {
  clientAuthMethodOf,
  clientRefusal,
  getClientConfiguration,
  isClientRefusal,
} from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import type { AuthConfig } from '../../config/auth-config.js'
import { variablePrefix } from '../../config/providers.js'
import { type Check, CHECK_TIMEOUT_MS, fail, failWith, type Finding, ok } from './finding.js'

/**
 * Checks whether each provider accepts the client. It sends a code that was never issued: the provider
 * rejects that with a different error than an unknown client. {@link checkProviders} reports an
 * unreachable provider.
 */
export const checkClients: Check = async ({ config }) => {
  const found = await Promise.all(config.providers.map((provider) => checkClient(provider, config)))
  return found.flat()
}

async function checkClient(provider: OAuthProvider, config: AuthConfig): Promise<Finding[]> {
  const { id } = provider
  const { outcome, method, error } = await tryClient(provider, config)
  if (outcome === 'accepted') {
    return [ok('CLIENT', `${id} accepts the client, which authenticates by ${method}.`)]
  }
  if (outcome === 'misconfigured') return [failWith('CLIENT', `${id}: ${error}`)]
  if (outcome === 'unknown') return []
  const variable = `${prefixOf(provider, config)}CLIENT_AUTH_METHOD`
  const other = OTHER[method]
  const isOtherAccepted =
    other !== undefined &&
    (await tryClient({ ...provider, ...explicit(other) }, config)).outcome === 'accepted'
  return isOtherAccepted
    ? [
        fail(
          'CLIENT',
          `${id} refuses the client by ${method} (${error}), but accepts it by ${other}.`,
          `Set ${variable}=${other}.`,
        ),
      ]
    : [failWith('CLIENT', `${id}, ${error}: ${clientRefusal(provider, method, variable)}`)]
}

const OTHER: Partial<Record<ClientAuthMethod, ClientAuthMethod>> = {
  client_secret_basic: 'client_secret_post',
  client_secret_post: 'client_secret_basic',
}

const explicit = (clientAuthMethod: ClientAuthMethod) =>
  ({ clientAuthMethod, clientAuthMethodIsExplicit: true }) as const

/** The prefix of this provider's variables. */
function prefixOf({ id }: OAuthProvider, { variables }: AuthConfig): string {
  const isOneOfSeveral = (variables.NETSCRIPT_AUTH_PROVIDERS ?? []).length > 0
  return isOneOfSeveral ? variablePrefix(id) : 'NETSCRIPT_AUTH_'
}

interface Attempt {
  outcome: 'accepted' | 'refused' | 'misconfigured' | 'unknown'
  method: ClientAuthMethod
  /** The provider's error code, or a description of the problem. */
  error: string
}

async function tryClient(provider: OAuthProvider, { variables }: AuthConfig): Promise<Attempt> {
  let status = 0
  const configuration = await getClientConfiguration(provider, {
    allowInsecureRequests: variables.NETSCRIPT_AUTH_ALLOW_INSECURE_REQUESTS,
    timeoutSeconds: CHECK_TIMEOUT_MS / 1000,
    fetch: async (input, init) => {
      const response = await fetch(input, init)
      status = response.status
      return response
    },
  }).catch(() => undefined)
  if (!configuration) {
    return { outcome: 'unknown', method: provider.clientAuthMethod, error: '' }
  }
  const method = clientAuthMethodOf(provider, configuration.serverMetadata())
  const client = await import('openid-client')
  status = 0
  try {
    await client.genericGrantRequest(configuration, 'authorization_code', {
      code: `netscript-doctor-${randomBytes(8).toString('hex')}`,
      code_verifier: client.randomPKCECodeVerifier(),
    })
    return { outcome: 'unknown', method, error: '' }
  } catch (cause) {
    const code = cause instanceof client.ResponseBodyError ? cause.error : undefined
    const error = code ?? `status ${status}`
    if (isClientRefusal(status, { error: code })) return { outcome: 'refused', method, error }
    if (code === 'invalid_grant') return { outcome: 'accepted', method, error }
    const wrong = configurationError(cause)
    return wrong
      ? { outcome: 'misconfigured', method, error: wrong.message }
      : { outcome: 'unknown', method, error }
  }
}

function configurationError(cause: unknown): AuthConfigurationError | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (error instanceof AuthConfigurationError) return error
  }
  return undefined
}
