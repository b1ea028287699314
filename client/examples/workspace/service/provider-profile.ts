import type { ProviderToken } from '@netscript/auth-contract'

/** What the service needs to call the provider for a user. */
export interface ProviderAccess {
  /** URL of the authentication service. */
  readonly authUrl: string
  /** From `netscript auth service-key create`. */
  readonly serviceKey: string
  /** The user info endpoint of the provider. */
  readonly userInfoUrl: string
}

/** What the provider knows of a user. */
export interface ProviderProfile {
  readonly name?: string
  readonly locale?: string
}

/**
 * Calls the provider with the provider's token of the user whose cookies are given. `undefined` if the user
 * has to sign in for that.
 */
export async function providerProfile(
  { authUrl, serviceKey, userInfoUrl }: ProviderAccess,
  cookie: string,
): Promise<ProviderProfile | undefined> {
  const answer = await fetch(`${authUrl}/api/v1/auth/provider-token`, {
    method: 'POST',
    headers: { authorization: `Bearer ${serviceKey}`, cookie, 'content-type': 'application/json' },
    body: '{}',
  })
  if (answer.status === 401 || answer.status === 409) return undefined
  if (!answer.ok) throw new Error(`The provider token was refused: ${answer.status}`)
  const { accessToken } = (await answer.json()) as ProviderToken
  const profile = await fetch(userInfoUrl, { headers: { authorization: `Bearer ${accessToken}` } })
  if (!profile.ok) throw new Error(`The provider answered ${profile.status}`)
  const { name, locale } = (await profile.json()) as ProviderProfile
  return { ...(name !== undefined && { name }), ...(locale !== undefined && { locale }) }
}
