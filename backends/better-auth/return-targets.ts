import { AuthError } from '@netscript/plugin-auth-core'
import type { ReturnToPolicy } from '@netscript/plugin-auth-core/internal'
import type { BetterAuthInstance } from './context.js'

/** Names of redirect parameters of better-auth and its plugins, ignoring case and `_`. */
const REDIRECT_NAME =
  /^(?!disable).*(?:(?:callback|redirect|return)(?:url|uri|to|path)?s?|(?:error|newuser|success|cancel|continue|logout|next)(?:url|uri)s?)$/

/** Whether a parameter or body member is a redirect target. */
export const isRedirectName = (name: string): boolean =>
  REDIRECT_NAME.test(name.replaceAll(/[_-]/g, '').toLowerCase())

/**
 * Applies the return-target policy to every redirect parameter of a request, at any depth and in
 * every occurrence. better-auth compares addresses as text and normalizes them afterwards.
 *
 * @throws AuthError `RETURN_TO_NOT_ALLOWED`
 */
export function assertReturnTargets(
  policy: ReturnToPolicy,
  query: URLSearchParams,
  body: unknown,
): void {
  for (const [name, value] of query) if (isRedirectName(name)) assertTarget(policy, value)
  // Iterative, because the caller controls the depth of the body.
  const open = [{ value: body, isTarget: false }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, isTarget } = next
    if (typeof value === 'string') {
      if (isTarget) assertTarget(policy, value)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        open.push({ value: member, isTarget: isTarget || isRedirectName(name) })
      }
    }
  }
}

/** better-auth treats an empty parameter as absent. */
function assertTarget(policy: ReturnToPolicy, target: string): void {
  if (target !== '') policy.resolve(target)
}

/**
 * Whether better-auth may send a browser to an address: an allowed return target, or the sign-in or
 * sign-out endpoint of a configured provider.
 */
export async function mayLeadTo(
  auth: BetterAuthInstance,
  policy: ReturnToPolicy,
  address: string,
): Promise<boolean> {
  if (policy.allows(address)) return true
  return URL.canParse(address) && isProviderEndpoint(auth, new URL(address), policy.default)
}

async function isProviderEndpoint(
  auth: BetterAuthInstance,
  address: URL,
  redirectURI: string,
): Promise<boolean> {
  const { socialProviders } = await auth.$context
  const endpoints = socialProviders.flatMap((provider) => [
    // Placeholder values for providers that require some; only the endpoint is used.
    async () =>
      provider.createAuthorizationURL({
        state: '-',
        codeVerifier: '-'.repeat(43),
        redirectURI,
        scopes: [],
      }),
    async () => provider.createEndSessionURL?.({}),
  ])
  for (const endpoint of endpoints) {
    const url = await endpoint().catch(() => undefined)
    if (url?.origin === address.origin && url.pathname === address.pathname) return true
  }
  return false
}

/** Addresses in a JSON response to which better-auth's client redirects the browser. */
export function redirectsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return []
  return Object.entries(body)
    .filter(([name]) => isRedirectName(name) || (name === 'url' && 'redirect' in body))
    .flatMap(([, value]: [string, unknown]) =>
      typeof value === 'string' && value !== '' ? [value] : [],
    )
}

/** The response to a disallowed redirect. The address is not logged because it may contain a code. */
export const redirectRefused = (): AuthError =>
  new AuthError('INTERNAL', 'The sign-in could not be completed.', {
    cause: new Error(
      'better-auth redirected to an address that is neither an allowed return target nor an endpoint of a provider. To allow it, add its origin to `allowedReturnTo`.',
    ),
  })

/** The id of this project's plugin in a better-auth instance. */
export const PLUGIN_ID = 'netscript-auth'

/** Origins, other than its own, that an instance may redirect browsers to. */
export function allowedReturnToOf({ options }: BetterAuthInstance): readonly string[] {
  const plugin = options.plugins?.find(({ id }) => id === PLUGIN_ID)
  const { allowedReturnTo = [] } = (plugin?.options ?? {}) as {
    allowedReturnTo?: readonly string[]
  }
  // Wildcard patterns and app schemes apply to the origin check only.
  const trusted = Array.isArray(options.trustedOrigins) ? options.trustedOrigins : []
  const origins = trusted.filter((entry) => URL.canParse(entry) && new URL(entry).origin === entry)
  return [...allowedReturnTo, ...origins]
}
