import { describe, expect, it } from 'vitest'
import { clientNetworks } from './client-network.js'

const cidrs = (address: string | undefined) => clientNetworks(address).map(({ cidr }) => cidr)

describe('clientNetworks', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['192.0.2.1:50123', '192.0.2.1/32'],
    ['::ffff:192.0.2.1', '192.0.2.1/32'],
    ['::FFFF:c000:201', '192.0.2.1/32'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1/32'],
    ['[::ffff:192.0.2.1]:50123', '192.0.2.1/32'],
    ['64:ff9b::192.0.2.1', '192.0.2.1/32'],
    ['unknown', 'unknown'],
    ['192.0.2.1, 192.0.2.2', 'unknown'],
    ['192.0.2.256', 'unknown'],
    ['[evil]', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('counts %s as the single network %s', (address, cidr) => {
    expect(cidrs(address)).toEqual([cidr])
  })

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2', '2001:db8:1:0'],
    ['2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2', '2001:db8:1:0'],
    ['2001:0db8:0001:12ff:0000:0000:0000:0009', '2001:db8:1:12ff', '2001:db8:1:1200'],
    ['[2001:db8:1:2::1]', '2001:db8:1:2', '2001:db8:1:0'],
    ['[2001:db8:1:2::1]:50123', '2001:db8:1:2', '2001:db8:1:0'],
    ['2001:db8:1:102::1', '2001:db8:1:102', '2001:db8:1:100'],
  ])('counts %s by its /64, /56 and /48', (address, link, home) => {
    expect(cidrs(address)).toEqual([`${link}::/64`, `${home}::/56`, '2001:db8:1:0::/48'])
  })

  it.each([
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['fe80::1%a/9', 'fe80:0:0:0::/64'],
    ['::ffff:0:192.0.2.1', '0:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('reads the short form and the zone of %s', (address, link) => {
    expect(cidrs(address)[0]).toBe(link)
  })
})
