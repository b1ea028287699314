import { type AppRouter, initContract } from '@ts-rest/core'
import { AUTH_PATH_PREFIX } from './auth-contract.js'
import { problems } from './errors.js'
import { ProviderToken, ProviderTokenInput } from './provider-token.js'

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
        'MALFORMED_REQUEST',
        'UNAUTHORIZED',
        'ORIGIN_NOT_ALLOWED',
        'FORBIDDEN',
        'NOT_FOUND',
        'PROVIDER_TOKEN_UNAVAILABLE',
        'PAYLOAD_TOO_LARGE',
        'UNSUPPORTED_MEDIA_TYPE',
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

/** The type of {@link serviceContractV1}. */
export type ServiceContractV1 = typeof serviceContractV1
