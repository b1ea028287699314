import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { proxyHosts, readOutgoingProxy } from '../../outgoing-proxy.js'
import { unproxiedTraces } from '../../tracing/start-tracing.js'
import { type Check, failWith, ok, warn, warnWith } from './finding.js'

/** Reports the proxy that requests to providers use, when the environment sets one. */
export const checkOutgoingProxy: Check = ({ config, env }) => {
  try {
    const proxy = readOutgoingProxy(env)
    if (proxy) {
      const problem = unproxiedTraces(config.variables, proxy)
      return [
        ok('OUTGOING_PROXY', `Providers are reached through ${proxyHosts(proxy)}.`),
        ...(problem === undefined ? [] : [warnWith('OUTGOING_PROXY', problem)]),
      ]
    }
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    return [failWith('OUTGOING_PROXY', error.message)]
  }
  if (!(env.ALL_PROXY ?? env.all_proxy)?.trim()) return []
  return [
    warn(
      'OUTGOING_PROXY',
      'ALL_PROXY is set and not used.',
      'Set HTTPS_PROXY and HTTP_PROXY instead.',
    ),
  ]
}
