import { z } from 'zod'
import { ReturnTo } from './signin.js'

/** The body of signout, as JSON or as a form. */
export const SignoutInput = z
  .object({
    everywhere: z
      .boolean()
      .optional()
      .describe('Also end all other sessions of the same user. Default: false.'),
    redirectTo: ReturnTo,
  })
  .meta({
    id: 'SignoutInput',
    description: 'How to sign out.',
    examples: [{ everywhere: false, redirectTo: '/' }],
  })
export type SignoutInput = z.infer<typeof SignoutInput>

/** The response of signout to JSON, the same with or without a session. */
export const SignoutResponse = z
  .object({
    signedOut: z.literal(true).describe('No session of this browser is left.'),
    redirectTo: z.string().optional().describe('The validated return address, when one was given.'),
    logoutUrl: z
      .url()
      .optional()
      .describe('Open it within 60 seconds, in this browser, to sign out at the provider too.'),
  })
  .meta({
    id: 'SignoutResponse',
    description: 'The session has ended.',
    examples: [
      {
        signedOut: true,
        redirectTo: 'http://localhost:8094/',
        logoutUrl:
          'http://localhost:8094/api/v1/auth/logout?ticket=pGm0X1uVhXo3v0mR3n6o4cS2q7m8w1kY5t9z0b1d2eE',
      },
    ],
  })
export type SignoutResponse = z.infer<typeof SignoutResponse>
