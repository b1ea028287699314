/** Where a provider's console asks for the redirect URI, and its restrictions. */
const HINTS: Readonly<Record<string, string>> = {
  github: 'Developer settings, OAuth Apps: "Authorization callback URL".',
  google: 'APIs & Services, Credentials: "Authorized redirect URIs".',
  gitlab: 'Preferences, Applications: "Redirect URI"; tick openid, profile and email.',
  discord: 'Developer Portal, OAuth2: "Redirects".',
  slack: 'OAuth & Permissions: "Redirect URLs"; Slack takes https only.',
  spotify: 'Dashboard, Settings: "Redirect URIs"; https, or http://127.0.0.1.',
  facebook: 'Facebook Login, Settings: "Valid OAuth Redirect URIs".',
  twitter: 'User authentication settings: "Callback URI / Redirect URL".',
  auth0: 'Applications, Settings: "Allowed Callback URLs".',
  okta: 'Applications, General: "Sign-in redirect URIs".',
  'aws-cognito': 'User pool, App clients: "Allowed callback URLs".',
  'azure-ad': 'App registrations, Authentication, Web: "Redirect URIs".',
  logto: 'Console, Applications: "Redirect URIs".',
  clerk: 'Dashboard, OAuth applications: "Redirect URI".',
}

/** Where to register a redirect URI at a provider, in at most 80 columns. */
export function registrationHint(id: string): string {
  return HINTS[id] ?? 'It is the "redirect URI" or "callback URL" of the client there.'
}
