import type { Configuration } from 'openid-client'
import { publicId } from '@netscript/plugin-auth-core/internal'
import { getClientConfiguration } from './configuration.js'
import type { KvOAuthContext } from './context.js'
import { encodeSubject } from './identity.js'
import { isIssuerOf } from './provider-metadata.js'
import type { OAuthProvider } from './provider.js'
import { invalidLogoutToken, readLogoutToken, verifyLogoutToken } from './logout-token.js'

/**
 * Ends the sessions that a provider names in a logout token (OpenID Connect Back-Channel Logout 1.0
 * section 2.7): those of its `sid`, or all of its `sub`; with both, sessions that match both. Ending
 * none is a success, because the user may have signed out here first.
 *
 * The token works once across all processes. Its `jti` is stored by the statement that ends the
 * sessions, so a provider that received no response may send the token again.
 */
export async function backChannelLogout(
  context: KvOAuthContext,
  token: string,
): Promise<{ ended: number }> {
  const { issuer, audiences } = await readLogoutToken(token)
  // Uses only the configuration: a token of another issuer must not trigger a metadata request.
  const provider = [...context.providers.values()].find(
    (candidate) => isIssuerOf(candidate, issuer) && audiences.includes(candidate.clientId),
  )
  if (!provider) throw invalidLogoutToken('No provider here has its issuer and audience.')
  const configuration = await knownConfiguration(context, provider)
  const now = context.now()
  const { jti, sid, subject, unusableAt } = await verifyLogoutToken(provider, configuration, {
    token,
    issuer,
    now,
  })
  const ended = await context.sessions.revokeByProviderSession(
    {
      issuer,
      // Stored in the same encoding as subjects.
      ...(sid !== undefined && { sid: encodeSubject(sid) }),
      ...(subject !== undefined && { subject: encodeSubject(subject) }),
    },
    {
      key: publicId(`${issuer}\0${jti}`),
      ttlMs: unusableAt - now,
    },
  )
  if (ended === undefined) throw invalidLogoutToken('It was used before.')
  context.log.info(
    { event: 'back-channel-logout', provider: provider.id, ended },
    'signed out by the provider',
  )
  return { ended }
}

/** Minimum time between calls to a failing provider, because any caller can send unverified tokens. */
const BACK_OFF_MS = 1000

const failures = new WeakMap<OAuthProvider, { readonly error: unknown; readonly until: number }>()

async function knownConfiguration(
  context: KvOAuthContext,
  provider: OAuthProvider,
): Promise<Configuration> {
  const failure = failures.get(provider)
  if (failure && context.now() < failure.until) throw failure.error
  try {
    return await getClientConfiguration(provider, context)
  } catch (error) {
    failures.set(provider, { error, until: context.now() + BACK_OFF_MS })
    throw error
  }
}
