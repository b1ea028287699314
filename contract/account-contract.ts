import { type AppRouter, initContract } from '@ts-rest/core'
import { z } from 'zod'
import { AccountsResponse, DeletedResponse, StoredUser, UnlinkedResponse } from './accounts.js'
import { AUTH_PATH_PREFIX } from './auth-contract.js'
import { BODY_ERRORS, problems } from './errors.js'
import { RevokedResponse, SessionsQuery, SessionsResponse } from './session.js'
import { TokenInput, TokenResponse } from './token.js'

/** A provider as `describe` lists it. */
export const ProviderDescription = z
  .object({
    id: z.string().describe('The providerId to pass to signin.'),
    displayName: z.string().describe('Name to show.'),
    kind: z
      .enum(['oauth', 'oidc', 'saml', 'credentials', 'custom'])
      .describe('The protocol of the provider.'),
    stepUp: z.boolean().optional().describe('Whether signin takes maxAge and acrValues here.'),
  })
  .meta({ id: 'ProviderDescription', description: 'A provider of the active backend.' })
export type ProviderDescription = z.infer<typeof ProviderDescription>

/** The optional features of a backend. A feature that is `true` works; callers need not try it. */
export const BackendCapabilities = z
  .object({
    interactive: z.boolean().describe('signin and callback work here.'),
    listSessions: z.boolean().describe('Users can list their sessions.'),
    revokeSessions: z.boolean().describe('Users can end their sessions, one or all.'),
    refresh: z.boolean().describe('Sessions are extended while they are used.'),
    providerLogout: z.boolean().describe('signout can return a logoutUrl.'),
    providerTokens: z
      .boolean()
      .describe("The backend can return a session's access token of the provider.")
      .optional(),
    backChannelLogout: z.boolean().describe('A provider can end sessions with a logout token.'),
    linkAccounts: z.boolean().describe('Users can link, list and remove provider accounts.'),
    selfService: z.boolean().describe('Users can export and delete what is stored about them.'),
  })
  .meta({ id: 'BackendCapabilities', description: 'What the active backend can do.' })
export type BackendCapabilities = z.infer<typeof BackendCapabilities>

/** The response of `describe`. */
export const DescribeResponse = z
  .object({
    backend: z.string().describe('Name of the active backend.'),
    capabilities: BackendCapabilities,
    tokens: z.boolean().describe('POST /token issues tokens for other services.'),
    providers: z.array(ProviderDescription).describe('In the order to show them.'),
    signInHint: z.string().optional().describe('Where to sign in when it is not interactive.'),
  })
  .meta({
    id: 'DescribeResponse',
    description: 'The active backend and what it can do.',
    examples: [
      {
        backend: 'kv-oauth',
        capabilities: {
          interactive: true,
          listSessions: true,
          revokeSessions: true,
          refresh: true,
          providerLogout: true,
          providerTokens: true,
          backChannelLogout: true,
          linkAccounts: true,
          selfService: true,
        },
        tokens: true,
        providers: [{ id: 'google', displayName: 'Google', kind: 'oidc' }],
      },
    ],
  })
export type DescribeResponse = z.infer<typeof DescribeResponse>

/** The errors of a route for a signed-in user. */
const SIGNED_IN = [
  'UNAUTHORIZED',
  'INTERNAL',
  'AUTH_OPERATION_UNSUPPORTED',
  'STORE_UNAVAILABLE',
] as const

const routes = {
  describe: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/describe`,
    summary: 'The active backend',
    description: 'What the active backend can do, so that a caller can ask instead of trying.',
    responses: { 200: DescribeResponse, ...problems('INTERNAL') },
  },
  sessions: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/sessions`,
    summary: 'The sessions of the caller',
    description:
      'The live sessions of the signed-in user, newest first, the current one marked. A sign-in beyond the maximum per user ends the least recently used one.',
    query: SessionsQuery,
    responses: {
      200: SessionsResponse,
      ...problems(...SIGNED_IN, 'VALIDATION_ERROR', 'AUTH_PROVIDER_ERROR'),
    },
  },
  revokeOtherSessions: {
    strictStatusCodes: true,
    method: 'DELETE',
    path: `${AUTH_PATH_PREFIX}/sessions`,
    summary: 'End all other sessions of the caller',
    description: 'Ends every session of the signed-in user except the current one.',
    responses: {
      200: RevokedResponse,
      ...problems(...SIGNED_IN, 'ORIGIN_NOT_ALLOWED', 'AUTH_PROVIDER_ERROR'),
    },
  },
  revokeSession: {
    strictStatusCodes: true,
    method: 'DELETE',
    path: `${AUTH_PATH_PREFIX}/sessions/:id`,
    summary: 'End one session of the caller',
    description:
      'Ends a session by its public id. An unknown id and one of another user get the same response.',
    pathParams: z.object({
      id: z.string().min(1).max(256).describe('The public id of the session.'),
    }),
    responses: {
      200: RevokedResponse,
      ...problems(
        ...SIGNED_IN,
        'ORIGIN_NOT_ALLOWED',
        'NOT_FOUND',
        'VALIDATION_ERROR',
        'AUTH_PROVIDER_ERROR',
      ),
    },
  },
  accounts: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/accounts`,
    summary: 'The provider accounts of the caller',
    description:
      'The accounts with which the signed-in user can sign in. POST /signin with link adds one.',
    responses: {
      200: AccountsResponse,
      ...problems(...SIGNED_IN),
    },
  },
  unlinkAccount: {
    strictStatusCodes: true,
    method: 'DELETE',
    path: `${AUTH_PATH_PREFIX}/accounts/:id`,
    summary: 'Remove a provider account of the caller',
    description:
      'Removes an account from the signed-in user and ends every session that was made with it. Needs a sign-in at most five minutes old. The last account cannot be removed. An unknown id and one of another user get the same response.',
    pathParams: z.object({
      id: z.string().min(1).max(256).describe('The id of the account.'),
    }),
    responses: {
      200: UnlinkedResponse,
      ...problems(
        ...SIGNED_IN,
        'AUTH_RECENT_SIGN_IN_REQUIRED',
        'ORIGIN_NOT_ALLOWED',
        'NOT_FOUND',
        'AUTH_LAST_ACCOUNT',
        'VALIDATION_ERROR',
      ),
    },
  },
  exportUser: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/user`,
    summary: 'What is stored about the caller',
    description:
      'The user with accounts, live sessions and the events of the audit trail. Tokens of providers are left out.',
    responses: {
      200: StoredUser,
      ...problems(...SIGNED_IN, 'RATE_LIMITED'),
    },
  },
  deleteUser: {
    strictStatusCodes: true,
    method: 'DELETE',
    path: `${AUTH_PATH_PREFIX}/user`,
    summary: 'Delete the caller',
    description:
      'Deletes the signed-in user with all accounts, sessions and tokens of providers. Needs a sign-in at most five minutes old. The audit trail keeps its events, under a pseudonym. A later sign-in creates a new user.',
    responses: {
      200: DeletedResponse,
      ...problems(...SIGNED_IN, 'AUTH_RECENT_SIGN_IN_REQUIRED', 'ORIGIN_NOT_ALLOWED'),
    },
  },
  token: {
    strictStatusCodes: true,
    method: 'POST',
    path: `${AUTH_PATH_PREFIX}/token`,
    summary: 'A token for another service',
    description:
      'Issues a signed access token (RFC 9068 JWT) for one service, which verifies it offline. It lives for at most five minutes; ending the session does not revoke it earlier. Only the session cookie authenticates this request, not a bearer token. 404 when the operator has configured no audience.',
    body: TokenInput,
    responses: {
      200: TokenResponse,
      ...problems(
        ...BODY_ERRORS,
        'UNAUTHORIZED',
        'ORIGIN_NOT_ALLOWED',
        'NOT_FOUND',
        'VALIDATION_ERROR',
        'RATE_LIMITED',
        'INTERNAL',
        'STORE_UNAVAILABLE',
      ),
    },
  },
} as const satisfies AppRouter

/** Routes beyond the five of `authContractV1`. It may gain routes without a new version. */
export const accountContractV1: typeof routes = initContract().router(routes)
