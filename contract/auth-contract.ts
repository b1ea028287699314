import { type AppRouter, initContract } from '@ts-rest/core'
import { z } from 'zod'
import {
  CallbackQuery,
  CallbackResponse,
  SigninInput,
  SigninResponse,
  SignoutInput,
  SignoutResponse,
} from './signin.js'
import { BODY_ERRORS, problems } from './errors.js'
import { MeResponse, SessionResponse } from './session.js'

/** The path prefix of every route, fixed by the contract. */
export const AUTH_PATH_PREFIX = '/api/v1/auth'

const routes = {
  signin: {
    strictStatusCodes: true,
    method: 'POST',
    path: `${AUTH_PATH_PREFIX}/signin`,
    summary: 'Start a sign-in',
    description:
      'Opens a transaction, bound to this browser by a cookie, and returns the address of the provider. A form post is redirected there.',
    body: SigninInput,
    responses: {
      200: SigninResponse,
      303: z.undefined(),
      ...problems(
        ...BODY_ERRORS,
        'UNAUTHORIZED',
        'AUTH_RECENT_SIGN_IN_REQUIRED',
        'ORIGIN_NOT_ALLOWED',
        'VALIDATION_ERROR',
        'RETURN_TO_NOT_ALLOWED',
        'RATE_LIMITED',
        'INTERNAL',
        'AUTH_OPERATION_UNSUPPORTED',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
  signout: {
    strictStatusCodes: true,
    method: 'POST',
    path: `${AUTH_PATH_PREFIX}/signout`,
    summary: 'End the session',
    description:
      'Ends the session of this browser and clears its cookie. It is idempotent: without a session the response is the same.',
    body: SignoutInput,
    responses: {
      200: SignoutResponse,
      303: z.undefined(),
      ...problems(
        ...BODY_ERRORS,
        'ORIGIN_NOT_ALLOWED',
        'VALIDATION_ERROR',
        'RETURN_TO_NOT_ALLOWED',
        'INTERNAL',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
  callback: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/callback`,
    summary: 'Complete a sign-in',
    description:
      'The redirect URI. Takes the transaction, which works once, and sets the session cookie; if it links an account, the session stays as it is. A browser is redirected to the return address; with Accept: application/json the response has a JSON body.',
    query: CallbackQuery,
    responses: {
      200: CallbackResponse,
      303: z.undefined(),
      ...problems(
        'AUTH_TRANSACTION_MISSING',
        'AUTH_TRANSACTION_EXPIRED',
        'AUTH_ACCESS_DENIED',
        'AUTH_NOT_ADMITTED',
        'AUTH_STEP_UP_FAILED',
        'AUTH_USER_DISABLED',
        'AUTH_SESSION_CHANGED',
        'AUTH_ACCOUNT_CONFLICT',
        'VALIDATION_ERROR',
        'RATE_LIMITED',
        'INTERNAL',
        'AUTH_PROVIDER_ERROR',
        'STORE_UNAVAILABLE',
      ),
    },
  },
  session: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/session`,
    summary: 'The session of the caller',
    description: 'Reads the session behind the cookie. It never takes an id from the caller.',
    responses: { 200: SessionResponse, ...problems('INTERNAL', 'STORE_UNAVAILABLE') },
  },
  me: {
    strictStatusCodes: true,
    method: 'GET',
    path: `${AUTH_PATH_PREFIX}/me`,
    summary: 'The caller',
    description: 'Who is signed in. Never 401: without a session it says so.',
    responses: { 200: MeResponse, ...problems('INTERNAL', 'STORE_UNAVAILABLE') },
  },
} as const satisfies AppRouter

/**
 * The authentication API: five routes, declared once. The Express router, the fetch client and the
 * OpenAPI document are generated from it.
 *
 * @example
 * ```ts
 * import { authContractV1 } from '@netscript/auth-contract'
 *
 * authContractV1.me.path // '/api/v1/auth/me'
 * ```
 */
export const authContractV1: typeof routes = initContract().router(routes)

/** The type of {@link authContractV1}. */
export type AuthContractV1 = typeof authContractV1
