import { type AppRouter, initContract } from '@ts-rest/core'
import { z } from 'zod'
import { AUTH_PATH_PREFIX, authContractV1 } from './auth-contract.js'
import { CallbackQuery } from './signin.js'
import { BODY_ERRORS, problems } from './errors.js'
import { PublicKeySet } from './token.js'

/** The form of a back-channel logout (OpenID Connect Back-Channel Logout 1.0 section 2.5). */
export const BackChannelLogoutInput = z
  .object({
    logout_token: z
      .string()
      .min(1)
      .describe('The logout token, a JWT that the provider signed (section 2.4).'),
  })
  .meta({
    id: 'BackChannelLogoutInput',
    description: 'What the provider sends: exactly one logout_token; other fields are ignored.',
    examples: [
      {
        logout_token:
          'eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIn0.c2lnbmF0dXJl',
      },
    ],
  })
export type BackChannelLogoutInput = z.infer<typeof BackChannelLogoutInput>

/** The response to a back-channel logout: an empty object. */
export const BackChannelLogoutResponse = z.object({}).meta({
  id: 'BackChannelLogoutResponse',
  description: 'The sessions that the token names have ended, if there were any.',
  examples: [{}],
})
export type BackChannelLogoutResponse = z.infer<typeof BackChannelLogoutResponse>

/** A single-use secret. The maximum bounds the input; the service generates far shorter values. */
const singleUse = z.string().min(1).max(512)

const routes = {
  providerCallback: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/callback/:provider`,
    summary: 'Complete a sign-in at one of several providers',
    description:
      'The redirect URI of one of several providers. It works like `/callback`, for sign-ins that started with exactly this redirect URI.',
    pathParams: z.object({
      provider: z.string().min(1).max(64).describe('The end of the redirect URI.'),
    }),
    query: CallbackQuery.omit({ provider: true }),
    responses: authContractV1.callback.responses,
  },
  logout: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/logout`,
    summary: 'Continue a sign-out at the provider',
    description:
      'The logoutUrl of signout. Takes its single-use ticket and redirects to the end_session_endpoint of the provider (OpenID Connect RP-Initiated Logout 1.0).',
    query: z.object({ ticket: singleUse.describe('The single-use ticket.') }),
    responses: {
      303: z.undefined(),
      ...problems(
        'AUTH_TRANSACTION_MISSING',
        'AUTH_TRANSACTION_EXPIRED',
        'VALIDATION_ERROR',
        'INTERNAL',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
  loggedOut: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/logged-out`,
    summary: 'Return from the provider after sign-out',
    description:
      'The post_logout_redirect_uri. Takes the state once and redirects to the return address; without a state, or with one that was used, has expired or belongs to another browser, to the default one.',
    query: z.object({
      state: z
        .string()
        .max(512)
        .optional()
        .describe('The state of the sign-out, where the provider returns it.'),
    }),
    responses: {
      303: z.undefined(),
      ...problems('VALIDATION_ERROR', 'INTERNAL', 'AUTH_PROVIDER_ERROR', 'STORE_UNAVAILABLE'),
    },
  },
  backChannelLogout: {
    strictStatusCodes: true,
    method: 'POST',
    path: `${AUTH_PATH_PREFIX}/backchannel-logout`,
    summary: 'Receive a back-channel logout from the provider',
    description:
      'The backchannel_logout_uri (OpenID Connect Back-Channel Logout 1.0). Ends the sessions that the logout token names by sid, or by sub when it has no sid; ending none is a success. The token works once and is the only credential: no cookie is read or set, and any origin may send it. A client whose requests keep failing gets 429; requests that succeed are not limited.',
    contentType: 'application/x-www-form-urlencoded',
    body: BackChannelLogoutInput,
    responses: {
      200: BackChannelLogoutResponse,
      ...problems(
        ...BODY_ERRORS,
        'LOGOUT_TOKEN_INVALID',
        'RATE_LIMITED',
        'INTERNAL',
        'AUTH_OPERATION_UNSUPPORTED',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
} as const satisfies AppRouter

/**
 * Routes that providers call or redirect browsers to, beyond the callback of
 * {@link authContractV1}. It may gain routes without a new version.
 */
export const protocolContractV1: typeof routes = initContract().router(routes)

const discoveryRoutes = {
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
export const discoveryContractV1: typeof discoveryRoutes = initContract().router(discoveryRoutes)
