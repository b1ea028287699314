import { randomUUID } from 'node:crypto'
import { type AuthSession, mapSessionToPrincipal } from '@netscript/auth-contract'
import { type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import type { AuditLog } from '@netscript/plugin-auth-core/internal'
import { createLocalJWKSet, errors, jwtVerify, SignJWT } from 'jose'
import {
  ALGORITHM,
  createSigningKeys,
  type SigningKeyStore,
  TOKEN_LIFETIME_SECONDS,
} from './signing-keys.js'
import type { TokenIssuer } from './token-issuer.js'

/** Options of {@link createAccessTokens}. */
export interface AccessTokenOptions extends Pick<TokenIssuer, 'checkAudience'> {
  readonly keys: SigningKeyStore
  readonly audit: Pick<AuditLog, 'record'>
  /** `iss` */
  readonly origin: string
  readonly log?: AuthLog
}

/** An issuer of RFC 9068 access tokens, signed with ES256, independent of where its keys are stored. */
export function createAccessTokens(options: AccessTokenOptions): TokenIssuer {
  const { audit, origin, checkAudience, log = silentLog } = options
  const keys = createSigningKeys(options.keys, log)

  return {
    checkAudience,
    async issue(session: AuthSession, audience, { isRecorded = true } = {}) {
      checkAudience(audience)
      const { kid, key } = await keys.current()
      const now = Math.floor(Date.now() / 1000)
      const sessionEnd = Math.floor(Date.parse(session.expiresAt) / 1000)
      const { auth_time, acr } = mapSessionToPrincipal(session).claims
      const exp = Math.min(now + TOKEN_LIFETIME_SECONDS, sessionEnd)
      const token = await new SignJWT({
        // Required by RFC 9068 section 2.2; the client is this service itself.
        client_id: origin,
        scope: session.scopes.join(' '),
        roles: session.roles,
        sid: session.id,
        // RFC 9068 section 2.2.1: of the sign-in. Absent ones are left out.
        auth_time,
        acr,
      })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid })
        .setIssuer(origin)
        .setSubject(session.userId)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(exp)
        .setJti(randomUUID())
        .sign(key)
      if (isRecorded) {
        await audit.record({ type: 'token.issued', sessionId: session.id, reason: audience })
      }
      return { token, tokenType: 'Bearer', expiresAt: new Date(exp * 1000).toISOString() }
    },
    async verify(token, audience) {
      const published = createLocalJWKSet({ keys: await keys.published() })
      try {
        const { payload } = await jwtVerify(token, published, {
          ...{ issuer: origin, audience, typ: 'at+jwt', algorithms: [ALGORITHM] },
          requiredClaims: ['exp', 'sub', 'sid'],
        })
        return typeof payload.sid === 'string' ? payload.sid : undefined
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
    publicKeys: async () => ({ keys: await keys.published() }),
    maintain: () => keys.maintain(),
  }
}
