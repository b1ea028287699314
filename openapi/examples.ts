import type {
  AuthErrorCode,
  MeResponse,
  PublicKeySet,
  SessionResponse,
  SessionsResponse,
} from '@netscript/auth-contract'
import type { ExampleObject } from './specification.js'

/** An example `detail` for each code. */
export const PROBLEM_DETAILS: { readonly [C in AuthErrorCode]?: string } = {
  MALFORMED_REQUEST: 'The body could not be parsed. Send valid JSON.',
  AUTH_TRANSACTION_MISSING: 'Start the sign-in again.',
  AUTH_TRANSACTION_EXPIRED: 'Start the sign-in again.',
  LOGOUT_TOKEN_INVALID:
    'Send a logout token as OpenID Connect Back-Channel Logout 1.0 describes it, once.',
  ORIGIN_NOT_ALLOWED: 'Send the request from the service itself or from a listed origin.',
  HOST_NOT_ALLOWED:
    'Sign-in covers the host of the service only; sign-in across sub-domains is not supported yet. Serve the application and /api/v1/auth/ from one host.',
  UNAUTHORIZED: 'Sign in first.',
  AUTH_RECENT_SIGN_IN_REQUIRED:
    'Sign in again with POST /signin and the body in data.signin, then repeat the request.',
  AUTH_STEP_UP_FAILED: 'The provider did not ask you to sign in again. Start the sign-in again.',
  PROVIDER_TOKEN_UNAVAILABLE:
    'The user has not granted these scopes. Start a sign-in with data.signin in the browser of the user.',
  AUTH_SESSION_CHANGED:
    'You were signed out, or signed in as another user, during the sign-in. Nothing was changed. Start again.',
  AUTH_ACCOUNT_CONFLICT:
    'Another user signs in with this account, so it was not added. Nothing was changed.',
  AUTH_LAST_ACCOUNT: 'You could not sign in any more. Link another account first.',
  FORBIDDEN: 'This needs the scope "orders:write", which you do not have.',
  AUTH_ACCESS_DENIED: 'The sign-in was declined at the provider.',
  AUTH_USER_DISABLED: 'Ask the operator of this service to enable the account.',
  NOT_FOUND: 'There is no GET route here. See /openapi.json.',
  METHOD_NOT_ALLOWED: 'Use one of: GET, HEAD.',
  PAYLOAD_TOO_LARGE: 'Send at most 16kb.',
  UNSUPPORTED_MEDIA_TYPE: 'Send application/json or application/x-www-form-urlencoded.',
  VALIDATION_ERROR: 'Correct redirectTo and send it again.',
  RETURN_TO_NOT_ALLOWED:
    'Use a path that starts with one slash, or a URL on an allowed origin, of at most 2048 characters.',
  INTERNAL: 'Try again; if it stays, report the request id.',
  AUTH_PROVIDER_ERROR: 'The provider is unavailable. Try again in a moment.',
  STORE_UNAVAILABLE: 'The session store is unavailable. Try again in a moment.',
  AUTH_UNAVAILABLE: 'The caller cannot be authenticated right now. Try again in a few seconds.',
}

/** Example `data` of the codes that have data. */
export const PROBLEM_DATA: { readonly [C in AuthErrorCode]?: object } = {
  FORBIDDEN: { missingScopes: ['orders:write'], missingRoles: [] },
  AUTH_RECENT_SIGN_IN_REQUIRED: { maxAge: 300, signin: { providerId: 'local', maxAge: 300 } },
  PROVIDER_TOKEN_UNAVAILABLE: {
    providerId: 'local',
    missingScopes: ['calendar.read'],
    signin: { providerId: 'local', scopes: ['openid', 'email', 'calendar.read'] },
  },
  VALIDATION_ERROR: {
    formErrors: [],
    fieldErrors: { redirectTo: ['Too small: expected string to have >=1 characters'] },
  },
  AUTH_PROVIDER_ERROR: { providerId: 'local', reason: 'The provider is unavailable.' },
}

/**
 * Example values of parameters whose schema has none, by name. Swagger UI sends all examples, so
 * there is none for `error`, which excludes `code`.
 */
export const PARAMETER_EXAMPLES: Readonly<Record<string, string>> = {
  code: 'SplxlOBeZQQYbYS6WxSbIA',
  state: 'Zr6FQ0Yq0m1c1wEoUQb3bW0cPp1Wb0m3qV6m2o0x7aA',
  iss: 'http://localhost:9094',
  provider: 'local',
  id: 'q1m0c1wEoUQb3bW0cPp1Wb0m3qV6m2o0x7aAZr6FQ0Y',
  ticket: 'pGm0X1uVhXo3v0mR3n6o4cS2q7m8w1kY5t9z0b1d2eE',
}

const session: Extract<SessionResponse, { authenticated: true }>['session'] = {
  id: 'vD0oUS3q8l4t1m7Wb0m3qV6m2o0x7aAZr6FQ0Yq0m1c',
  userId: '0198f3c2-7a51-7c1e-9b1d-5f0a2c3d4e5f',
  subject: 'ada',
  providerId: 'local',
  state: 'active',
  scopes: ['openid', 'profile', 'email'],
  roles: [],
  claims: { locale: 'en' },
  issuedAt: '2026-01-05T09:00:00.000Z',
  expiresAt: '2026-01-06T09:00:00.000Z',
}

const anonymous: ExampleObject = { summary: 'There is no session', value: { authenticated: false } }

/** Named examples of bodies by schema id, where one example would not show every variant. */
export const BODY_EXAMPLES: Readonly<Record<string, Record<string, ExampleObject>>> = {
  SessionResponse: {
    signedIn: {
      summary: 'A user is signed in',
      value: { authenticated: true, session } satisfies SessionResponse,
    },
    anonymous,
  },
  MeResponse: {
    signedIn: {
      summary: 'A user is signed in',
      value: {
        authenticated: true,
        user: {
          id: session.userId,
          displayName: 'Ada Lovelace',
          email: 'ada@example.com',
          emailVerified: true,
        },
        session,
      } satisfies MeResponse,
    },
    anonymous,
  },
  SessionsResponse: {
    two: {
      summary: 'Two browsers',
      value: {
        sessions: [
          { session, current: true, userAgent: 'curl/8.5.0' },
          {
            session: {
              ...session,
              id: PARAMETER_EXAMPLES.id ?? '',
              issuedAt: '2026-01-04T18:30:00.000Z',
              expiresAt: '2026-01-05T18:30:00.000Z',
            },
            current: false,
            userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
          },
        ],
      } satisfies SessionsResponse,
    },
  },
  PublicKeySet: {
    one: {
      summary: 'The current signing key',
      value: {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
            y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
            kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
            alg: 'ES256',
            use: 'sig',
          },
        ],
      } satisfies PublicKeySet,
    },
  },
}
