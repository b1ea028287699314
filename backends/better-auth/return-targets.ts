import { AuthError } from '@netscript/plugin-auth-core'
import type { ReturnToPolicy } from '@netscript/plugin-auth-core/internal'
import type { BetterAuthInstance } from './context.js'

/** Names of parameters that better-auth, or a plugin of it, redirects to; case and `_` do not matter. */
const REDIRECT_NAME =
  /^(?!disable).*(?:(?:callback|redirect|return)(?:url|uri|to|path)?s?|(?:error|newuser|success|cancel|continue|logout|next)(?:url|uri)s?)$/

/** Whether a parameter or a member of a body is an address that a browser is sent to. */
export const isRedirectName = (name: string): boolean =>
  REDIRECT_NAME.test(name.replaceAll(/[_-]/g, '').toLowerCase())

/**
 * Applies the return-target policy to every redirect parameter of a request, wherever it stands and
 * however often. better-auth compares the text of an address and normalizes it afterwards.
 *
 * @throws AuthError `RETURN_TO_NOT_ALLOWED`
 */
export function assertReturnTargets(
  policy: ReturnToPolicy,
  query: URLSearchParams,
  body: unknown,
): void {
  for (const [name, value] of query) if (isRedirectName(name)) assertTarget(policy, value)
  // A list instead of recursion: the caller decides how deep a body is.
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

/** An empty parameter is an absent one to better-auth. */
function assertTarget(policy: ReturnToPolicy, target: string): void {
  if (target !== '') policy.resolve(target)
}

/**
 * Whether a browser may be sent to an address that better-auth answers with: it is an allowed return
 * target, or the endpoint at which a configured provider signs users in or out.
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
    // Values that satisfy the providers which insist on some; only the endpoint is looked at.
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

/** The addresses in a JSON answer that better-auth's client sends the browser to. */
export function redirectsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return []
  return Object.entries(body)
    .filter(([name]) => isRedirectName(name) || (name === 'url' && 'redirect' in body))
    .flatMap(([, value]: [string, unknown]) =>
      typeof value === 'string' && value !== '' ? [value] : [],
    )
}

/** The answer to a redirect that the policy does not allow. The address is not logged: it may hold a code. */
export const redirectRefused = (): AuthError =>
  new AuthError('INTERNAL', 'The sign-in could not be completed.', {
    cause: new Error(
      'better-auth redirected to an address that is neither an allowed return target nor an endpoint of a provider. To allow it, add its origin to `allowedReturnTo`.',
    ),
  })
