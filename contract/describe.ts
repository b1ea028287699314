import { z } from 'zod'

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
