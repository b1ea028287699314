import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** A Redis server, or seed nodes of a cluster. */
export interface RedisTarget {
  readonly cluster: boolean
  /** URLs with `redis://` or `rediss://` (TLS). */
  readonly urls: readonly string[]
}

const FORM =
  'must be redis://host:port, rediss://host:port with TLS, several of them separated by commas for the nodes of a cluster, or redis+cluster://host:port (rediss+cluster://) for a cluster that has one address'

/**
 * Parses `NETSCRIPT_AUTH_SESSION_STORE`. One URL is one server. Several, separated by commas, are nodes
 * of a cluster; `redis+cluster://` is a cluster with one address.
 *
 * @throws AuthConfigurationError, which never contains the text, because it may contain a password.
 */
export function parseRedisUrls(text: string): RedisTarget {
  const given = text.split(',').map((url) => url.trim())
  const cluster = given.length > 1 || given.some((url) => /^rediss?\+cluster:/.test(url))
  const urls = given.map((url) => checked(url.replace('+cluster:', ':'), cluster))
  const schemes = new Set(urls.map((url) => new URL(url).protocol))
  if (schemes.size > 1) fail('has URLs with TLS and without; use one scheme for all nodes')
  return { cluster, urls }
}

function checked(text: string, cluster: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname) return fail(FORM)
  if (url.search || url.hash) {
    fail('has a "?" or a "#"; percent-encode them in a password (%3F, %23), and leave out options')
  }
  if (!/^(\/\d*)?$/.test(url.pathname)) {
    fail('has a path that is not the number of a database, such as /0')
  }
  if (cluster && !/^\/?0?$/.test(url.pathname)) {
    fail('names a database; a cluster has only one, so leave the number out')
  }
  return url.href
}

function fail(message: string): never {
  throw new AuthConfigurationError(`NETSCRIPT_AUTH_SESSION_STORE ${message}.`)
}
