import { z } from 'zod'

/** The form of a back-channel logout (OpenID Connect Back-Channel Logout 1.0 section 2.5). */
export const BackChannelLogoutInput = z
  .object({
    logout_token: z
      .string()
      .min(1)
      .describe('The logout token, a JWT that the provider signed (section 2.4).'),
  })
  .meta({
    id: 'BackChannelLogoutInput',
    description: 'What the provider sends: exactly one logout_token; other fields are ignored.',
    examples: [
      {
        logout_token:
          'eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIn0.c2lnbmF0dXJl',
      },
    ],
  })
export type BackChannelLogoutInput = z.infer<typeof BackChannelLogoutInput>

/** The response to a back-channel logout: an empty object. */
export const BackChannelLogoutResponse = z.object({}).meta({
  id: 'BackChannelLogoutResponse',
  description: 'The sessions that the token names have ended, if there were any.',
  examples: [{}],
})
export type BackChannelLogoutResponse = z.infer<typeof BackChannelLogoutResponse>
