/** One call of the walk through the API. */
export interface CurlStep {
  /** The key of the route. */
  readonly key: string
  /** What it answers here. Default: 200. */
  readonly status?: number
  /** What to do before. */
  readonly before?: string
  /** A shell variable for what was learned on the way. */
  readonly variable?: Learned
  /** The media type that is asked for. Default: any. */
  readonly accept?: string
}

/** Something that only the way so far can tell; the contract has an example of it. */
export interface Learned {
  readonly name: string
  /**
   * `address`: the whole address of the route, with these query parameters. `path`: the parameter in
   * its path. `field`: the one field of its form.
   */
  readonly use: 'path' | 'field' | { readonly address: readonly string[] }
}

/** Every route, in an order in which each call has what it needs. */
export const CURL_STEPS: readonly CurlStep[] = [
  { key: 'describe' },
  { key: 'signin' },
  {
    key: 'callback',
    before:
      'Open `redirectUrl` in a private window of a browser and sign in. The browser comes to the callback and is refused there, since curl began the sign-in; that uses nothing up. Copy the address where it stands.',
    variable: { name: 'CALLBACK', use: { address: ['code', 'state', 'iss'] } },
    accept: 'application/json',
  },
  {
    key: 'providerCallback',
    status: 400,
    before: 'No sign-in of this walk began with this redirect URI, so it is refused.',
    variable: { name: 'PROVIDER_CALLBACK', use: { address: ['code', 'state', 'iss'] } },
    accept: 'application/json',
  },
  { key: 'session' },
  { key: 'me' },
  { key: 'sessions' },
  {
    key: 'revokeSession',
    before:
      'Take the `id` of a session that is not `current`. Sign in with a browser to have one more.',
    variable: { name: 'SESSION_ID', use: 'path' },
  },
  { key: 'revokeOtherSessions' },
  { key: 'token' },
  { key: 'jwks' },
  { key: 'signout' },
  {
    key: 'logout',
    status: 303,
    before: 'Take `logoutUrl` of the sign-out, within a minute.',
    variable: { name: 'LOGOUT_URL', use: { address: ['ticket'] } },
  },
  {
    key: 'loggedOut',
    status: 303,
    before:
      'Open that `Location` in the browser and sign out. It is refused at the end, as it was at the callback. Copy the address where it stands.',
    variable: { name: 'LOGGED_OUT', use: { address: ['state'] } },
  },
  {
    key: 'backChannelLogout',
    before: 'Only the provider can make the token. It sends the request by itself.',
    variable: { name: 'LOGOUT_TOKEN', use: 'field' },
  },
  { key: 'sessions', status: 401, before: 'There is no session any more.' },
]
