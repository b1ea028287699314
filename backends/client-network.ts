import { isIP } from 'node:net'

/** A block of addresses that a rate limit counts as one client, or as a few. */
export interface ClientNetwork {
  /** CIDR notation, or `unknown` without a valid address. */
  readonly cidr: string
  /** The prefix length; 0 for `unknown`. */
  readonly prefix: 0 | 32 | 48 | 56 | 64
  /** Number of clients that it counts as: a home or site has several, but fewer than subnets. */
  readonly clients: 1 | 4 | 16
}

const CLIENTS = { 0: 1, 32: 1, 64: 1, 56: 4, 48: 16 } as const

/**
 * The networks of a client, narrowest first. IPv4 counts per address: a wider block rarely belongs to
 * one customer, and with carrier-grade NAT many customers share one address. IPv6 counts per /64, /56
 * and /48, the blocks that providers assign to a link, a home and a site (RFC 6177), because a client
 * can use every address and subnet in its block.
 *
 * Accepts addresses as proxies write them: with a port, brackets or a zone.
 */
export function clientNetworks(
  address: string | undefined,
): readonly [ClientNetwork, ...ClientNetwork[]] {
  const [bare = ''] = (address ?? '')
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .split('%', 1)
  if (isIP(bare) === 4) return [ipv4(bare)]
  if (isIP(bare) !== 6) return [network('unknown', 0)]
  const groups = groupsOf(bare)
  const embedded = embeddedIPv4(groups)
  if (embedded !== undefined) return [ipv4(embedded)]
  return [ipv6(groups, 64), ipv6(groups, 56), ipv6(groups, 48)]
}

const network = (cidr: string, prefix: ClientNetwork['prefix']): ClientNetwork => ({
  cidr,
  prefix,
  clients: CLIENTS[prefix],
})

const ipv4 = (address: string): ClientNetwork => network(`${address}/32`, 32)

function ipv6(groups: readonly number[], prefix: 64 | 56 | 48): ClientNetwork {
  const masked = groups.slice(0, 4).map((group, at) => {
    const bits = Math.max(0, Math.min(16, prefix - at * 16))
    return group & (0xffff << (16 - bits)) & 0xffff
  })
  return network(`${masked.map((group) => group.toString(16)).join(':')}::/${prefix}`, prefix)
}

/** The eight groups of an IPv6 address. The URL parser converts a dotted tail to hexadecimal. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [left = [], right = []] = canonical
    .split('::')
    .map((half) => half.split(':').filter(Boolean))
    .map((half) => half.map((group) => parseInt(group, 16)))
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

/**
 * The IPv4 address in an IPv4-mapped address (RFC 4291 section 2.5.5.2) or in one of a NAT64
 * translator (RFC 6052 section 2.1). Counted as IPv6, all of IPv4 would share one /64.
 */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const head = groups.slice(0, 6).join(':')
  if (head !== '0:0:0:0:0:65535' && head !== `${0x64}:${0xff9b}:0:0:0:0`) return undefined
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}
