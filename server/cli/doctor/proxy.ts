import { type Check, ok, warn } from './finding.js'

/** The service serves http only, so an https origin implies a proxy, which must be trusted. */
export const checkProxy: Check = ({ config: { origin, variables } }) => {
  if (!origin.startsWith('https:')) return []
  const trusted = variables.NETSCRIPT_AUTH_TRUST_PROXY
  if (trusted !== undefined && trusted !== false && trusted !== 0) {
    return [ok('TRUST_PROXY', `X-Forwarded-For counts when it comes from: ${trusted}.`)]
  }
  return [
    warn(
      'TRUST_PROXY',
      `${origin} implies a TLS proxy in front, but none is trusted: all clients count as one address and share one rate limit.`,
      'Set NETSCRIPT_AUTH_TRUST_PROXY to the number of proxies, such as 1, or to their addresses.',
    ),
  ]
}
