// Written by `npm run openapi` from the contract. Do not edit.

/** The routes of the client: those with a JSON request and a JSON response. */
export const ROUTES = {
  signin: {
    method: 'POST',
    path: '/api/v1/auth/signin',
    required: ['started', 'providerId', 'redirectUrl', 'state'],
  },
  signout: {
    method: 'POST',
    path: '/api/v1/auth/signout',
    required: ['signedOut'],
  },
  callback: {
    method: 'GET',
    path: '/api/v1/auth/callback',
    required: ['completed', 'redirectTo', 'subject'],
  },
  session: {
    method: 'GET',
    path: '/api/v1/auth/session',
    required: ['authenticated'],
  },
  me: {
    method: 'GET',
    path: '/api/v1/auth/me',
    required: ['authenticated'],
  },
  describe: {
    method: 'GET',
    path: '/api/v1/auth/describe',
    required: ['backend', 'capabilities', 'tokens', 'providers'],
  },
  sessions: {
    method: 'GET',
    path: '/api/v1/auth/sessions',
    required: ['sessions'],
  },
  revokeOtherSessions: {
    method: 'DELETE',
    path: '/api/v1/auth/sessions',
    required: ['revoked'],
  },
  revokeSession: {
    method: 'DELETE',
    path: '/api/v1/auth/sessions/:id',
    required: ['revoked'],
  },
  accounts: {
    method: 'GET',
    path: '/api/v1/auth/accounts',
    required: ['accounts'],
  },
  unlinkAccount: {
    method: 'DELETE',
    path: '/api/v1/auth/accounts/:id',
    required: ['unlinked', 'revoked', 'signedOut'],
  },
  exportUser: {
    method: 'GET',
    path: '/api/v1/auth/user',
    required: ['exportedAt', 'user', 'accounts', 'sessions', 'events'],
  },
  deleteUser: {
    method: 'DELETE',
    path: '/api/v1/auth/user',
    required: ['deleted'],
  },
  token: {
    method: 'POST',
    path: '/api/v1/auth/token',
    required: ['token', 'tokenType', 'expiresAt'],
  },
  providerCallback: {
    method: 'GET',
    path: '/api/v1/auth/callback/:provider',
    required: ['completed', 'redirectTo', 'subject'],
  },
} as const

/** The HTTP status of every error code. */
export const PROBLEM_STATUSES = {
  MALFORMED_REQUEST: 400,
  AUTH_TRANSACTION_MISSING: 400,
  AUTH_TRANSACTION_EXPIRED: 400,
  LOGOUT_TOKEN_INVALID: 400,
  UNAUTHORIZED: 401,
  AUTH_RECENT_SIGN_IN_REQUIRED: 401,
  ORIGIN_NOT_ALLOWED: 403,
  HOST_NOT_ALLOWED: 403,
  AUTH_ACCESS_DENIED: 403,
  AUTH_NOT_ADMITTED: 403,
  AUTH_STEP_UP_FAILED: 403,
  FORBIDDEN: 403,
  AUTH_USER_DISABLED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PROVIDER_TOKEN_UNAVAILABLE: 409,
  AUTH_SESSION_CHANGED: 409,
  AUTH_ACCOUNT_CONFLICT: 409,
  AUTH_LAST_ACCOUNT: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_ERROR: 422,
  RETURN_TO_NOT_ALLOWED: 422,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  AUTH_OPERATION_UNSUPPORTED: 501,
  AUTH_PROVIDER_ERROR: 502,
  STORE_UNAVAILABLE: 503,
  AUTH_UNAVAILABLE: 503,
} as const
