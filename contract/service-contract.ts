import { type AppRouter, initContract } from '@ts-rest/core'
import { AUTH_PATH_PREFIX } from './auth-contract.js'
import { BODY_ERRORS, problems } from './errors.js'
import { z } from 'zod'
import { ScopeToken } from './signin.js'

/** The body of providerToken. */
export const ProviderTokenInput = z
  .object({
    providerId: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'The provider, of the sign-in or of a linked account. Default: that of the sign-in.',
      ),
    scopes: z
      .array(ScopeToken)
      .max(50)
      .optional()
      .describe('Scopes that the token must have, as the provider names them. Default: any.'),
    subjectToken: z
      .string()
      .min(1)
      .max(8192)
      .optional()
      .describe(
        'A token of POST /token that the caller received, for the audience of the service key. Its session must be live. Default: the session cookie.',
      ),
  })
  .meta({
    id: 'ProviderTokenInput',
    description: 'Which token of the user is needed.',
    examples: [{ providerId: 'google', scopes: ['https://www.googleapis.com/auth/calendar'] }],
  })
export type ProviderTokenInput = z.infer<typeof ProviderTokenInput>

/** An access token that a provider issued for a user. */
export const ProviderToken = z
  .object({
    accessToken: z.string().describe('The access token of the provider (RFC 6749 section 1.4).'),
    providerId: z.string().describe('The provider that issued it.'),
    scopes: z.array(z.string()).describe('The scopes that the user granted.'),
    expiresAt: z.iso
      .datetime()
      .optional()
      .describe('ISO 8601 instant in UTC; absent if the provider does not say.'),
  })
  .meta({
    id: 'ProviderToken',
    description: 'An access token for the API of a provider.',
    examples: [
      {
        accessToken: 'ya29.a0AfH6SMBx3kD8',
        providerId: 'google',
        scopes: ['openid', 'https://www.googleapis.com/auth/calendar'],
        expiresAt: '2026-01-05T10:00:00.000Z',
      },
    ],
  })
export type ProviderToken = z.infer<typeof ProviderToken>

const routes = {
  providerToken: {
    strictStatusCodes: true,
    method: 'POST',
    path: `${AUTH_PATH_PREFIX}/provider-token`,
    summary: "A provider's access token, for a server",
    description:
      "Returns the provider's access token of a signed-in user to a server that calls the provider's API, renewed if it is about to expire. The server authenticates with a service key (`Authorization: Bearer nsk_...`), which limits providers and scopes, and the user with the session cookie or `subjectToken`. Not for browsers: a request with `Origin`, or with a `Sec-Fetch-Site` other than `none`, is refused. 404 unless the operator has enabled it.",
    body: ProviderTokenInput,
    responses: {
      200: ProviderToken,
      ...problems(
        ...BODY_ERRORS,
        'UNAUTHORIZED',
        'ORIGIN_NOT_ALLOWED',
        'FORBIDDEN',
        'NOT_FOUND',
        'PROVIDER_TOKEN_UNAVAILABLE',
        'VALIDATION_ERROR',
        'RATE_LIMITED',
        'INTERNAL',
        'AUTH_OPERATION_UNSUPPORTED',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
} as const satisfies AppRouter

/** Routes for servers with a service key, not for browsers. It may gain routes without a new version. */
export const serviceContractV1: typeof routes = initContract().router(routes)
