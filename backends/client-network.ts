import { isIP } from 'node:net'

/** A block of addresses that counts as one client, or as a few. */
export interface ClientNetwork {
  /** In CIDR notation; `unknown` for what is not an address. */
  readonly cidr: string
  /** The prefix length; 0 for `unknown`. */
  readonly prefix: 0 | 32 | 48 | 56 | 64
  /** For how many clients it counts: a home or a site has several, but fewer than it has subnets. */
  readonly clients: 1 | 4 | 16
}

const CLIENTS = { 0: 1, 32: 1, 64: 1, 56: 4, 48: 16 } as const

/**
 * The networks of a client, narrowest first. IPv4 counts by address: a wider block rarely belongs to
 * one customer, and behind carrier NAT many customers share even one address. IPv6 counts by /64, /56
 * and /48, the blocks that providers assign to a link, a home and a site (RFC 6177); each is free to
 * use every address and subnet in it.
 *
 * Takes an address as proxies write it: with a port, in brackets, with a zone.
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

/** The eight groups. The URL parser turns a dotted tail into hexadecimal. */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [left = [], right = []] = canonical
    .split('::')
    .map((half) => half.split(':').filter(Boolean))
    .map((half) => half.map((group) => parseInt(group, 16)))
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

/**
 * IPv4-mapped addresses (RFC 4291 section 2.5.5.2) and those of a translator in front of us (RFC 6052
 * section 2.1): as IPv6, all of IPv4 would be one /64.
 */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const head = groups.slice(0, 6).join(':')
  if (head !== '0:0:0:0:0:65535' && head !== `${0x64}:${0xff9b}:0:0:0:0`) return undefined
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}
