import type { AuthCalls, AuthClient, AuthClientOptions, SigninInput } from './auth-api.js'
import { AuthClientError } from './error.js'

/** Adds the methods that navigate away from the page. */
export function withNavigation(
  calls: AuthCalls,
  { navigate = (url) => globalThis.location.assign(url) }: AuthClientOptions,
): AuthClient {
  const leaveFor = (url: string): void => {
    // Never navigate to a `javascript:` URL, even if a response contains one.
    if (!/^(https?:\/\/|\/)/i.test(url)) {
      throw new AuthClientError(
        'UNEXPECTED_RESPONSE',
        'The address to go to is not an http or https URL.',
      )
    }
    navigate(url)
  }
  return {
    ...calls,
    async redirectToSignIn(input) {
      leaveFor((await calls.signin(input)).redirectUrl)
    },
    async stepUp(refusal, input) {
      const required = await requiredSignIn(refusal)
      if (!required) return false
      // Tokens do not say at which provider the user signed in.
      const known = required.providerId === undefined ? await calls.session() : undefined
      const providerId = known?.authenticated ? known.session.providerId : undefined
      const signin = { ...(providerId !== undefined && { providerId }), ...required, ...input }
      leaveFor((await calls.signin(signin)).redirectUrl)
      return true
    },
    async redirectToSignOut(input) {
      const { logoutUrl, redirectTo } = await calls.signout(input)
      const target = logoutUrl ?? redirectTo
      if (target !== undefined) leaveFor(target)
    },
  }
}

/**
 * The sign-in that a refusal asks for: a response or its problem document, an error of the client, or
 * the challenge of RFC 9470. `undefined` for any other refusal.
 */
export async function requiredSignIn(refusal: unknown): Promise<SigninInput | undefined> {
  const isResponse = typeof refusal === 'object' && refusal !== null && 'headers' in refusal
  const problem = isResponse ? await problemOf(refusal as Response) : refusal
  const { code, data } = (problem ?? {}) as { code?: unknown; data?: Required }
  if (code !== 'AUTH_RECENT_SIGN_IN_REQUIRED') return undefined
  // Take nothing else: a service must not choose where the user returns to.
  const { providerId, maxAge, acrValues } = data?.signin ?? data ?? {}
  return {
    ...(providerId !== undefined && { providerId }),
    ...(maxAge !== undefined && { maxAge }),
    ...(acrValues !== undefined && { acrValues }),
  }
}

interface Required extends Pick<SigninInput, 'providerId' | 'maxAge' | 'acrValues'> {
  signin?: Omit<Required, 'signin'>
}

async function problemOf(response: Response): Promise<unknown> {
  const body = await bodyOf(response)
  if (body?.code !== undefined) return body
  const challenge = response.headers.get('www-authenticate') ?? ''
  if (!challenge.includes('error="insufficient_user_authentication"')) return undefined
  const maxAge = /\bmax_age="?(\d+)/.exec(challenge)?.[1]
  const acrValues = /\bacr_values="([^"]+)"/.exec(challenge)?.[1]
  return {
    code: 'AUTH_RECENT_SIGN_IN_REQUIRED',
    data: {
      ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
      ...(acrValues !== undefined && { acrValues: acrValues.split(' ') }),
    },
  }
}

/** Leaves the body to the caller; without JSON, or once it has been read, the challenge is left. */
async function bodyOf(response: Response): Promise<{ code?: unknown } | null | undefined> {
  try {
    return (await response.clone().json()) as { code?: unknown } | null
  } catch {
    return undefined
  }
}
