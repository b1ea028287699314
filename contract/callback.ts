import { z } from 'zod'

/** Query parameters of the redirect URI (RFC 6749 section 4.1.2, RFC 9207). Others are ignored. */
export const CallbackQuery = z
  .object({
    code: z.string().min(1).max(4096).optional().describe('The authorization code.'),
    state: z.string().min(1).max(512).optional().describe('The state of the transaction.'),
    iss: z.string().min(1).max(2048).optional().describe('The issuer (RFC 9207).'),
    error: z.string().min(1).max(256).optional().describe('Why the provider refused.'),
    error_description: z.string().max(4096).optional().describe("The provider's explanation."),
    provider: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Part of the redirect URI where one was registered with it.'),
  })
  .meta({ id: 'CallbackQuery', description: 'The authorization response of the provider.' })
export type CallbackQuery = z.infer<typeof CallbackQuery>

/** The response of callback to `Accept: application/json`. The session is only in the cookie. */
export const CallbackResponse = z
  .object({
    completed: z
      .literal(true)
      .describe(
        'The sign-in is complete; the session cookie is set, unless an account was linked.',
      ),
    redirectTo: z.string().describe('The validated return address of the sign-in.'),
    subject: z.string().describe("The provider's subject identifier for the user."),
  })
  .meta({
    id: 'CallbackResponse',
    description: 'A completed sign-in.',
    examples: [{ completed: true, redirectTo: 'http://localhost:8094/', subject: 'ada' }],
  })
export type CallbackResponse = z.infer<typeof CallbackResponse>
