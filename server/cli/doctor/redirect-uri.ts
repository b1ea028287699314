import { providersById } from '../../../backends/kv-oauth/providers-by-id.js'
import { authContractV1 } from '../../../contract/auth-contract.js'
import { isLoopback } from '../../config/loopback.js'
import { type Check, type Finding, ok, warn } from './finding.js'

/** What each provider must have registered, and whether it leads to this service. */
export const checkRedirectUris: Check = ({ config }) => {
  const { providers, variables } = config
  // Two with one id is a problem of the configuration.
  const ids = new Set(providers.map(({ id }) => id))
  if (providers.length === 0 || ids.size !== providers.length) return []
  return [...providersById(providers).values()].map(({ id, redirectUri }): Finding => {
    const { pathname, port, origin } = new URL(redirectUri)
    const before = pathname.slice(0, -authContractV1.callback.path.length)
    if (before !== '') {
      return warn(
        'REDIRECT_URI',
        `${id} sends people to ${redirectUri}, but the service answers at ${authContractV1.callback.path}.`,
        `Let the proxy in front take ${before} off, or take it out of the redirect URI.`,
      )
    }
    if (isLoopback(origin) && Number(port || 80) !== variables.PORT && variables.PORT !== 0) {
      return warn(
        'REDIRECT_URI',
        `${id} sends people to port ${port || 80} of this machine, but the service listens on ${variables.PORT}.`,
        'Set PORT and the redirect URI to one port, unless a proxy leads from one to the other.',
      )
    }
    return ok('REDIRECT_URI', `Register exactly this at ${id}: ${redirectUri}`)
  })
}
