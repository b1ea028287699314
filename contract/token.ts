import { z } from 'zod'

/** The body of token: the audience. */
export const TokenInput = z
  .object({
    audience: z
      .string()
      .min(1)
      .max(2048)
      .describe(
        'The service that will accept the token. The operator configures the allowed audiences.',
      ),
  })
  .meta({
    id: 'TokenInput',
    description: 'The audience of the token.',
    examples: [{ audience: 'https://orders.example.com' }],
  })
export type TokenInput = z.infer<typeof TokenInput>

/** The response of token: an RFC 9068 JWT that lives for at most five minutes. */
export const TokenResponse = z
  .object({
    token: z.string().describe('A JWT access token (RFC 9068), valid only for its audience.'),
    tokenType: z.literal('Bearer').describe('How to send it (RFC 6750).'),
    expiresAt: z.iso
      .datetime()
      .describe('ISO 8601 instant in UTC; request a new token before then.'),
  })
  .meta({
    id: 'TokenResponse',
    description: 'A signed access token of the caller.',
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

/** An ES256 public key as a JWK (RFC 7517). */
export const PublicKey = z
  .looseObject({
    kty: z.literal('EC').describe('The key type.'),
    crv: z.literal('P-256').describe('The curve.'),
    x: z.string().describe('The x coordinate, base64url.'),
    y: z.string().describe('The y coordinate, base64url.'),
    kid: z.string().describe('The key id, as in the header of a token.'),
    alg: z.literal('ES256').describe('The only algorithm that the key is for.'),
    use: z.literal('sig').describe('The key verifies signatures.'),
  })
  .meta({ id: 'PublicKey', description: 'A public key (RFC 7517).' })
export type PublicKey = z.infer<typeof PublicKey>

/** The response of jwks: every key that a valid token may be signed with. */
export const PublicKeySet = z
  .object({
    keys: z
      .array(PublicKey)
      .describe('Current keys, upcoming keys, and former keys whose tokens may still be valid.'),
  })
  .meta({ id: 'PublicKeySet', description: 'The keys that tokens are verified with (RFC 7517).' })
export type PublicKeySet = z.infer<typeof PublicKeySet>
