/** Scopes of the first sign-in. `workspace:read` is requested later, when the member list needs it. */
export const SIGN_IN_SCOPES = ['openid', 'profile', 'email']
