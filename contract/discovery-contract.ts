import { type AppRouter, initContract } from '@ts-rest/core'
import { problems } from './errors.js'
import { PublicKeySet } from './token.js'

const routes = {
  jwks: {
    strictStatusCodes: true,
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys of tokens',
    description:
      'The public keys that tokens are verified with. A key is published before it signs, and until the last token that it signed has expired.',
    responses: { 200: PublicKeySet, ...problems('NOT_FOUND', 'INTERNAL', 'STORE_UNAVAILABLE') },
  },
} as const satisfies AppRouter

/** Routes at the root of the origin, where verifiers look for them (RFC 8615). */
export const discoveryContractV1: typeof routes = initContract().router(routes)

/** The type of {@link discoveryContractV1}. */
export type DiscoveryContractV1 = typeof discoveryContractV1
