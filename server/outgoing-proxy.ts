import { AuthConfigurationError } from '@netscript/plugin-auth-core'

/** The HTTP proxy that requests to providers go through, as the environment names it. */
export interface OutgoingProxy {
  /** For http and, without one of its own, https. */
  readonly http: string
  readonly https: string
  /** Hosts that are reached without it. */
  readonly noProxy: string
}

/** Loopback is never behind a proxy: the local provider is there. */
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

/** Whether requests to a URL go through the proxy. NO_PROXY names hosts, with what is below them. */
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

/** The proxies for messages, without credentials. */
export function proxyHosts({ http, https }: OutgoingProxy): string {
  const hosts = [https, http].filter(Boolean).map((url) => new URL(url).host)
  return [...new Set(hosts)].join(', ')
}

/**
 * Sends every request of this process that uses fetch through the proxy of the environment, if it
 * names one; Node honours these variables only when told. Returns what undoes it.
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
