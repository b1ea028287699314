import { z } from 'zod'

/** The body of token: whom the token is for. */
export const TokenInput = z
  .object({
    audience: z
      .string()
      .min(1)
      .max(2048)
      .describe('The service that the token is for, as the operator listed it.'),
  })
  .meta({
    id: 'TokenInput',
    description: 'Whom the token is for.',
    examples: [{ audience: 'https://orders.example.com' }],
  })
export type TokenInput = z.infer<typeof TokenInput>

/** The answer of token: a JWT of RFC 9068 that lives five minutes at most. */
export const TokenResponse = z
  .object({
    token: z
      .string()
      .describe('A JWT of the profile of RFC 9068. It is good for its audience alone.'),
    tokenType: z.literal('Bearer').describe('How to send it (RFC 6750).'),
    expiresAt: z.iso.datetime().describe('ISO 8601 instant in UTC; ask for a new one before.'),
  })
  .meta({
    id: 'TokenResponse',
    description: 'A signed statement of who the caller is.',
    examples: [
      {
        token:
          'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk4ZjNjMi03YTUxIn0.c2lnbmF0dXJl',
        tokenType: 'Bearer',
        expiresAt: '2026-01-05T09:05:00.000Z',
      },
    ],
  })
export type TokenResponse = z.infer<typeof TokenResponse>

/** A public key of ES256 as a JWK (RFC 7517). */
export const PublicKey = z
  .looseObject({
    kty: z.literal('EC').describe('The kind of key.'),
    crv: z.literal('P-256').describe('Its curve.'),
    x: z.string().describe('Its first coordinate, base64url.'),
    y: z.string().describe('Its second coordinate, base64url.'),
    kid: z.string().describe('What the header of a token calls it.'),
    alg: z.literal('ES256').describe('The only algorithm that it is good for.'),
    use: z.literal('sig').describe('It verifies signatures.'),
  })
  .meta({ id: 'PublicKey', description: 'A public key (RFC 7517).' })
export type PublicKey = z.infer<typeof PublicKey>

/** The answer of jwks: every key that a good token may be signed with. */
export const PublicKeySet = z
  .object({ keys: z.array(PublicKey).describe('Those that sign, will sign, or have signed.') })
  .meta({ id: 'PublicKeySet', description: 'The keys that tokens are verified with (RFC 7517).' })
export type PublicKeySet = z.infer<typeof PublicKeySet>
