import proxyAddr from 'proxy-addr'
import type { EngineRequest } from './message.js'

/** Which proxies may set X-Forwarded-For: a number of hops, addresses or subnets, or none. */
export type TrustProxy = string | number | false

/**
 * Determines the client's address: the nearest hop that is not a trusted proxy. An unknown peer counts as
 * one trusted proxy.
 */
export function createClientAddress(
  trustProxy: TrustProxy,
): (request: Pick<EngineRequest, 'headers' | 'peerAddress'>) => string {
  const trusts = trustOf(trustProxy)
  return ({ headers, peerAddress }) => {
    const forwarded = headers['x-forwarded-for']
    if (!trusts || forwarded === undefined) return peerAddress ?? ''
    const hops = String(forwarded).split(',').reverse()
    let client = peerAddress ?? ''
    for (const [at, hop] of [client, ...hops].entries()) {
      client = hop.trim()
      if (!(at === 0 && peerAddress === undefined) && !trusts(client, at)) break
    }
    return client
  }
}

/** Determines whether the direct peer is a proxy that may set X-Forwarded-*. An unknown peer is none. */
export function createProxyTrust(
  trustProxy: TrustProxy,
): (request: Pick<EngineRequest, 'peerAddress'>) => boolean {
  const trusts = trustOf(trustProxy)
  return ({ peerAddress }) => peerAddress !== undefined && (trusts?.(peerAddress, 0) ?? false)
}

function trustOf(trustProxy: TrustProxy): ((address: string, hop: number) => boolean) | undefined {
  if (trustProxy === false) return undefined
  if (typeof trustProxy === 'number') return (_address, hop) => hop < trustProxy
  return proxyAddr.compile(trustProxy.split(',').map((part) => part.trim()))
}
