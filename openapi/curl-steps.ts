/** One step of the walk through the API with curl. */
export interface CurlStep {
  /** The key of the route. */
  readonly key: string
  /** The response status of this step. @default 200 */
  readonly status?: number
  /** Instructions to show before the command. */
  readonly before?: string
  /** A shell variable for a value from an earlier step. */
  readonly variable?: Learned
  /** The `Accept` header. @default any media type */
  readonly accept?: string
}

/** A value that only an earlier step can provide; the contract has an example of it. */
export interface Learned {
  readonly name: string
  /**
   * `address`: the full URL of the route, with these query parameters. `path`: its path parameter.
   * `field`: the only field of its form.
   */
  readonly use: 'path' | 'field' | { readonly address: readonly string[] }
}

/** Every route, in an order in which each step has the values that it needs. */
export const CURL_STEPS: readonly CurlStep[] = [
  { key: 'describe' },
  { key: 'signin' },
  {
    key: 'callback',
    before:
      'Open `redirectUrl` in a private window of a browser and sign in. The callback refuses the browser, because curl started the sign-in; the transaction stays usable. Copy the URL from the address bar.',
    variable: { name: 'CALLBACK', use: { address: ['code', 'state', 'iss'] } },
    accept: 'application/json',
  },
  {
    key: 'providerCallback',
    status: 400,
    before: 'No sign-in of this walk started with this redirect URI, so it is refused.',
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
      'Open that `Location` in the browser and sign out. The browser is refused at the end, as at the callback. Copy the URL from the address bar.',
    variable: { name: 'LOGGED_OUT', use: { address: ['state'] } },
  },
  {
    key: 'backChannelLogout',
    before: 'Only the provider can create the token, and it sends this request itself.',
    variable: { name: 'LOGOUT_TOKEN', use: 'field' },
  },
  { key: 'sessions', status: 401, before: 'The session has ended.' },
]
