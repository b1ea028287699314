import { cookiePolicy } from '@netscript/auth-kv-oauth/internal'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { keepsCookies } from '../../config/config.js'
import { isLoopback } from '../../config/loopback.js'
import { insecureSwitches } from '../../config/variables.js'
import { type Check, fail, failWith, type Finding, ok, warn } from './finding.js'

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
