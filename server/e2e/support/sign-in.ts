import { completeLogin } from './oidc-login.js'
import type { UserAgent } from './user-agent.js'

export const SESSION_COOKIE = '__Host-ns_session'

/** Starts a sign-in through POST /signin. */
export async function startSignIn(
  agent: UserAgent,
  input: object = {},
): Promise<{ redirectUrl: string; state: string }> {
  const response = await agent.post('/api/v1/auth/signin', input)
  if (response.status !== 200) throw new Error(`signin answered ${response.status}`)
  return (await response.json()) as { redirectUrl: string; state: string }
}

/** Signs in at the local provider; returns the answer of the callback. */
export async function signIn(
  agent: UserAgent,
  login = 'ada',
  input: object = {},
): Promise<Response> {
  const { redirectUrl } = await startSignIn(agent, input)
  return agent.fetch(await completeLogin(redirectUrl, { login }))
}

/** What GET /me answers, as far as tests look at it. */
export interface Me {
  authenticated: boolean
  user: { id: string; displayName?: string; email?: string; emailVerified?: boolean }
  session: {
    id: string
    subject: string
    issuedAt: string
    expiresAt: string
    refreshedAt?: string
  }
}

/** GET /me. */
export async function me(agent: UserAgent): Promise<Me> {
  const response = await agent.fetch('/api/v1/auth/me')
  if (response.status !== 200) throw new Error(`me answered ${response.status}`)
  return (await response.json()) as Me
}
