import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** The HTTP proxy for requests to providers, from the environment. */
export interface OutgoingProxy {
  /** For http, and for https when that has no proxy of its own. */
  readonly http: string
  readonly https: string
  /** Hosts that are reached directly. */
  readonly noProxy: string
}

/** Loopback is never proxied: the local provider runs there. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY; the lower-case spelling wins, as with curl. `undefined`
 * when no proxy is set.
 *
 * @throws AuthConfigurationError for a value that is no http or https URL.
 */
export function readOutgoingProxy(env: NodeJS.ProcessEnv): OutgoingProxy | undefined {
  const read = (name: string): string => env[name.toLowerCase()]?.trim() || env[name]?.trim() || ''
  const [http, https] = [proxyUrl('HTTP_PROXY', read), proxyUrl('HTTPS_PROXY', read)]
  if (http === '' && https === '') return undefined
  const noProxy = read('NO_PROXY')
  return { http, https, noProxy: noProxy === '*' ? '*' : [noProxy, ...LOOPBACK].join(',') }
}

function proxyUrl(name: string, read: (name: string) => string): string {
  const value = read(name)
  if (value === '') return ''
  const url = value.includes('://') ? value : `http://${value}`
  // The value may hold a password, so the message does not repeat it.
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new AuthConfigurationError(
      `${name} must be an http or https URL, such as http://proxy.example.com:3128.`,
    )
  }
  return url
}

/** Whether requests to a URL go through the proxy. A host in NO_PROXY includes its subdomains. */
export function isProxied({ http, https, noProxy }: OutgoingProxy, target: string): boolean {
  const { protocol, hostname, port } = new URL(target)
  if ((protocol === 'https:' ? https || http : http) === '') return false
  return !noProxy.split(/[\s,]+/).some((entry) => {
    const [, host = '', itsPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
    if (entry === '*') return true
    if (host === '' || (itsPort !== undefined && itsPort !== port)) return false
    return hostname === host || hostname.endsWith(`.${host}`)
  })
}

/** The proxy addresses without credentials, for messages. */
export function proxyHosts({ http, https }: OutgoingProxy): string {
  const hosts = [https, http].filter(Boolean).map((url) => new URL(url).host)
  return [...new Set(hosts)].join(', ')
}

/**
 * Routes every fetch of this process through the environment's proxy, if set; by default Node ignores
 * these variables. Returns a function that restores the previous state.
 *
 * @throws AuthConfigurationError for a value that is no http or https URL.
 */
export async function useOutgoingProxy(env: NodeJS.ProcessEnv): Promise<() => Promise<void>> {
  const proxy = readOutgoingProxy(env)
  if (!proxy) return async () => undefined
  const { EnvHttpProxyAgent, getGlobalDispatcher, setGlobalDispatcher } = await import('undici')
  const before = getGlobalDispatcher()
  const agent = new EnvHttpProxyAgent({
    httpProxy: proxy.http,
    httpsProxy: proxy.https,
    noProxy: proxy.noProxy,
  })
  setGlobalDispatcher(agent)
  return async () => {
    setGlobalDispatcher(before)
    await agent.close()
  }
}
