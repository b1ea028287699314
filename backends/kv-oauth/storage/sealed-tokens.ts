import { seal, unseal } from '@netscript/plugin-auth-core/internal'
import type { Keyring } from '@netscript/plugin-auth-core'
import type { ProviderTokens, TokenSession } from '../session-store.js'

/** Provider tokens as stored: each sealed for its session, provider and field. */
interface SealedTokens {
  readonly access_token: string | null
  readonly refresh_token: string | null
  readonly id_token: string | null
}

const PURPOSE = 'provider-tokens'

/** Whose tokens these are. */
export interface TokenOwner {
  readonly sessionId: string
  /** The provider of a linked account; absent for that of the sign-in. */
  readonly linked?: string
}

/** Only the provider of a linked account is part of the key: earlier versions do not have it. */
export const ownerOf = ({ id, providerId }: TokenSession, of: string): TokenOwner =>
  of === providerId ? { sessionId: id } : { sessionId: id, linked: of }

const context = ({ sessionId, linked }: TokenOwner, field: keyof SealedTokens): string =>
  linked === undefined ? `${sessionId}:${field}` : `${sessionId}:${linked}:${field}`

/** Seals the tokens that are present. */
export function sealTokens(
  keyring: Keyring,
  owner: TokenOwner,
  { accessToken, refreshToken, idToken }: ProviderTokens,
): SealedTokens {
  const sealField = (field: keyof SealedTokens, token: string | undefined): string | null =>
    token === undefined ? null : seal(keyring, PURPOSE, context(owner, field), token)
  return {
    access_token: sealField('access_token', accessToken),
    refresh_token: sealField('refresh_token', refreshToken),
    id_token: sealField('id_token', idToken),
  }
}

/** Stored tokens, with what is not secret. */
export interface StoredTokens extends SealedTokens {
  /** Milliseconds since the epoch. */
  readonly expires_at: number | string | null
  /** Separated by spaces. */
  readonly scopes: string | null
}

/** Opens the tokens that a key of the keyring can open. */
export function openTokens(
  keyring: Keyring,
  owner: TokenOwner,
  stored: StoredTokens,
): ProviderTokens {
  const openField = (field: keyof SealedTokens): string | undefined => {
    const token = stored[field]
    return token === null ? undefined : unseal(keyring, PURPOSE, context(owner, field), token)
  }
  const accessToken = openField('access_token')
  const refreshToken = openField('refresh_token')
  const idToken = openField('id_token')
  return {
    ...(accessToken !== undefined && { accessToken }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(idToken !== undefined && { idToken }),
    ...(stored.expires_at !== null && { expiresAt: Number(stored.expires_at) }),
    ...(stored.scopes !== null && { scopes: stored.scopes.split(' ').filter(Boolean) }),
  }
}
