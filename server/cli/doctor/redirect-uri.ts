import { providersById } from '@netscript/auth-kv-oauth/internal'
import { otherPort } from '../../config/config.js'
import { type Check, type Finding, ok, warnWith } from './finding.js'

/** Lists the redirect URI to register at each provider, and checks that it leads to this service. */
export const checkRedirectUris: Check = ({ config }) => {
  const { providers, variables } = config
  // A duplicate id is already a configuration problem.
  const ids = new Set(providers.map(({ id }) => id))
  if (providers.length === 0 || ids.size !== providers.length) return []
  return [...providersById(providers).values()].map((provider): Finding => {
    const problem = otherPort(provider, variables)
    if (problem !== undefined) return warnWith('REDIRECT_URI', problem)
    return ok('REDIRECT_URI', `Register exactly this at ${provider.id}: ${provider.redirectUri}`)
  })
}
