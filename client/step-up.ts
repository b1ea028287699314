import type { SigninInput } from './auth-api.js'

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
