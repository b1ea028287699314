import {
  admitsEveryone,
  cookiePolicy,
  openProvider,
  providersById,
} from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError, parseKeyring } from '@netscript/plugin-auth-core'
import { unknownVariables } from '../../config/unknown-variables.js'
import {
  type Check,
  type Examination,
  fail,
  failWith,
  type Finding,
  ok,
  warn,
  warnWith,
} from './finding.js'
import { importBetterAuth, importWorkos } from '../../backend-packages.js'
import { keepsCookies, otherPort } from '../../config/config.js'
import { isLoopback } from '../../config/loopback.js'
import { insecureSwitches } from '../../config/variables.js'
import { proxyHosts, readOutgoingProxy } from '../../outgoing-proxy.js'
import { unproxiedTraces } from '../../tracing/start-tracing.js'

/** Checks that the service accepts the configuration; every problem is a finding. */
export const checkConfiguration: Check = ({ config, problems }) => {
  const { variables, providers, production, origin } = config
  const found: Finding[] = problems.map(({ message }) => failWith('CONFIGURATION', message))
  if (providers.length > 0) found.push(...providerIds(providers))
  if (found.length > 0) return found
  const backend = variables.NETSCRIPT_AUTH_BACKEND
  const who =
    backend !== 'kv-oauth'
      ? ''
      : `, ${providers.map(({ id }) => id).join(', ') || 'the local provider'}`
  const rules = production ? 'production' : 'development'
  return [ok('CONFIGURATION', `It reads, by the rules of ${rules}: ${backend}${who}, ${origin}.`)]
}

/** Finds variables that were meant for this service, judging by their names, but are not read. */
export const checkVariables: Check = ({ env, config }) =>
  unknownVariables(env, config.variables.NETSCRIPT_AUTH_PROVIDERS ?? []).map((text) =>
    warnWith('VARIABLES', text),
  )

function providerIds(providers: Parameters<typeof providersById>[0]): Finding[] {
  try {
    providersById(providers)
    return []
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    return [failWith('CONFIGURATION', error.message)]
  }
}

/** Checks that the secrets of the active backend are set and hard to guess. */
export const checkKeys: Check = async (examination) => {
  const { NETSCRIPT_AUTH_BACKEND: backend } = examination.config.variables
  try {
    if (backend === 'kv-oauth') return keyring(examination)
    if (backend === 'workos') return await workos(examination.env)
    return backend === 'better-auth' ? await betterAuth(examination.env) : []
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    const [variable] = /\b[A-Z]+(_[A-Z]+)+\b/.exec(error.message) ?? []
    const isKnown =
      variable !== undefined &&
      examination.problems.some(({ message }) => message.includes(variable))
    return isKnown ? [] : [failWith('KEYS', error.message)]
  }
}

function keyring({ config, env }: Examination): Finding[] {
  const given = env.NETSCRIPT_AUTH_KV_OAUTH_KEY
  if (!given?.trim() && config.providers.length === 0) return []
  const { secrets } = parseKeyring(given)
  const weak = secrets.findIndex((secret) => !looksRandom(secret))
  if (weak !== -1) {
    return [
      warn(
        'KEYS',
        `Key ${weak + 1} of NETSCRIPT_AUTH_KV_OAUTH_KEY does not look random; anyone who guesses it can forge sessions.`,
        'Replace it with one of "netscript auth secret generate".',
      ),
    ]
  }
  if (new Set(secrets.map(String)).size < secrets.length) {
    return [
      warn(
        'KEYS',
        'NETSCRIPT_AUTH_KV_OAUTH_KEY holds one key twice.',
        'Take one of the two out, and roll that out.',
      ),
    ]
  }
  const more = secrets.length === 1 ? '1 key' : `${secrets.length} keys, of which the first signs`
  return [ok('KEYS', `NETSCRIPT_AUTH_KV_OAUTH_KEY holds ${more}.`)]
}

/** 32 random bytes have about 30 distinct values and are not all printable letters. */
function looksRandom(secret: Uint8Array): boolean {
  const isText = secret.every((byte) => byte >= 0x20 && byte < 0x7f)
  return new Set(secret).size >= 20 && !isText
}

async function workos(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { workosOptionsFromEnv } = await importWorkos()
  workosOptionsFromEnv(env)
  return [ok('KEYS', 'The key, the client id and the cookie password of WorkOS are set.')]
}

async function betterAuth(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const { readSecret } = await importBetterAuth()
  readSecret(env)
  return [ok('KEYS', 'BETTER_AUTH_SECRET is long enough.')]
}

/** Checks that browsers accept the cookies that the service sets on its own origin. */
export const checkCookies: Check = ({ config, problems }) => {
  const { variables, origin } = config
  if (origin === '') return []
  const found: Finding[] = insecureSwitches(variables).map((name) =>
    warn('INSECURE_SWITCH', `${name} is on.`, 'Unset it before other users sign in.'),
  )
  if (!keepsCookies(origin)) {
    // In production this is already a configuration problem.
    if (problems.some(({ message }) => message.includes(`own origin is ${origin}`))) return found
    return [
      ...found,
      fail(
        'COOKIE_SCHEME',
        `Browsers reject the session cookie of ${origin}: it is neither https nor this machine.`,
        'Put a proxy with TLS in front and use https in the redirect URI.',
      ),
    ]
  }
  return [...found, ...kvOAuthCookies(config)]
}

function kvOAuthCookies({
  variables,
  providers,
  origin,
}: Parameters<Check>[0]['config']): Finding[] {
  if (variables.NETSCRIPT_AUTH_BACKEND !== 'kv-oauth') return []
  const { NETSCRIPT_AUTH_COOKIE_NAME: cookieName } = variables
  const insecureCookies = variables.NETSCRIPT_AUTH_INSECURE_COOKIES
  // The local provider redirects to the service's own origin.
  const uris = providers.length > 0 ? providers : [{ redirectUri: origin }]
  try {
    const policy = cookiePolicy(
      { cookieName, insecureCookies },
      new Map(uris.map((provider, index) => [String(index), provider])),
    )
    if (policy.secure && origin.startsWith('http:') && isLoopback(origin)) {
      return [
        warn(
          'COOKIE_SAFARI',
          `Safari rejects a Secure cookie of ${origin}, so sign-in does not work there; other browsers accept it.`,
          'To test with Safari set NETSCRIPT_AUTH_COOKIE_NAME=ns_session and NETSCRIPT_AUTH_INSECURE_COOKIES=true.',
        ),
      ]
    }
    return [ok('COOKIES', `Browsers keep ${cookieName} of ${origin}.`)]
  } catch (error) {
    if (!(error instanceof AuthConfigurationError)) throw error
    return [failWith('COOKIES', error.message)]
  }
}

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

/** Lists the redirect URI to register at each provider, and checks that it leads to this service. */
export const checkRedirectUris: Check = ({ config }) => {
  const { providers, variables } = config
  // A duplicate id is already a configuration problem.
  const ids = new Set(providers.map(({ id }) => id))
  if (providers.length === 0 || ids.size !== providers.length) return []
  return [...providersById(providers).values()].map((provider): Finding => {
    const problem = otherPort(provider, variables)
    if (problem !== undefined) return warnWith('REDIRECT_URI', problem)
    return ok('REDIRECT_URI', `Register exactly this at ${provider.id}: ${provider.redirectUri}`)
  })
}

/** Whether the operator has said who may sign in at providers where anyone can create an account. */
export const checkAdmission: Check = ({ config: { providers } }) => {
  const open = providers.filter(admitsEveryone)
  if (open.length > 0) return open.map((one): Finding => warnWith('ADMISSION', openProvider(one)))
  return providers.length === 0
    ? []
    : [ok('ADMISSION', 'Who may sign in is limited, or meant to be everyone.')]
}

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
