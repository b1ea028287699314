import { createPool } from '@netscript/auth-database'
import type { OAuthProvider } from '@netscript/auth-kv-oauth'
import { listServiceKeys } from '../../tokens/service-keys.js'
import { type Check, CHECK_TIMEOUT_MS, type Finding, ok, warn } from './finding.js'

/** Whether services can request tokens of providers, where that is enabled. */
export const checkProviderTokens: Check = async ({ config }) => {
  const { NETSCRIPT_AUTH_PROVIDER_TOKENS: isEnabled, DATABASE_URL: url } = config.variables
  if (!isEnabled) return []
  const findings = [...config.providers.filter(isShortLived).map(shortLived)]
  // The check of the database reports why it is unreachable.
  if (url !== undefined && (await hasNoKey(url).catch(() => false))) {
    findings.push(
      warn(
        'PROVIDER_TOKENS',
        'NETSCRIPT_AUTH_PROVIDER_TOKENS is on, but no service key is valid.',
        'Create one with "netscript auth service-key create".',
      ),
    )
  }
  return findings.length > 0
    ? findings
    : [ok('PROVIDER_TOKENS', 'Services with a key can request tokens of providers.')]
}

async function hasNoKey(url: string): Promise<boolean> {
  const pool = createPool(url, { connectionTimeoutMs: CHECK_TIMEOUT_MS, max: 1 })
  try {
    return (await listServiceKeys(pool)).every(({ revokedAt }) => revokedAt !== undefined)
  } finally {
    await pool.end()
  }
}

/** OpenID providers issue a refresh token for offline access only. */
const isShortLived = ({ kind, scopes, authorizationParams }: OAuthProvider): boolean =>
  kind === 'oidc' &&
  !scopes.includes('offline_access') &&
  authorizationParams?.access_type !== 'offline'

const shortLived = ({ id }: OAuthProvider): Finding =>
  warn(
    'PROVIDER_TOKENS',
    `Tokens of "${id}" cannot be renewed: no offline access is requested.`,
    'Add offline_access to its scopes, or what the provider needs to issue a refresh token.',
  )
