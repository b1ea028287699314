import type { Keyring } from '@netscript/plugin-auth-core'
import { seal, unseal } from '@netscript/plugin-auth-core/internal'
import type { ProviderTokens } from '../session-store.js'

/** Provider tokens as stored: each sealed for its session and field. */
export interface SealedTokens {
  readonly access_token: string | null
  readonly refresh_token: string | null
  readonly id_token: string | null
}

const PURPOSE = 'provider-tokens'
const context = (sessionId: string, field: keyof SealedTokens): string => `${sessionId}:${field}`

/** Seals the tokens that are present. */
export function sealTokens(
  keyring: Keyring,
  sessionId: string,
  { accessToken, refreshToken, idToken }: ProviderTokens,
): SealedTokens {
  const sealField = (field: keyof SealedTokens, token: string | undefined): string | null =>
    token === undefined ? null : seal(keyring, PURPOSE, context(sessionId, field), token)
  return {
    access_token: sealField('access_token', accessToken),
    refresh_token: sealField('refresh_token', refreshToken),
    id_token: sealField('id_token', idToken),
  }
}

/** Opens the tokens that a key of the keyring can open. */
export function openTokens(
  keyring: Keyring,
  sessionId: string,
  sealed: SealedTokens,
): ProviderTokens {
  const openField = (field: keyof SealedTokens): string | undefined => {
    const token = sealed[field]
    return token === null ? undefined : unseal(keyring, PURPOSE, context(sessionId, field), token)
  }
  const accessToken = openField('access_token')
  const refreshToken = openField('refresh_token')
  const idToken = openField('id_token')
  return {
    ...(accessToken !== undefined && { accessToken }),
    ...(refreshToken !== undefined && { refreshToken }),
    ...(idToken !== undefined && { idToken }),
  }
}
