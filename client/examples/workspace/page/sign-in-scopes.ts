/** Asked for at first: who somebody is. What the members need is asked for when it is needed. */
export const SIGN_IN_SCOPES = ['openid', 'profile', 'email']
