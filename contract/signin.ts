import { z } from 'zod'

/** A scope token is printable ASCII without space, `"` and `\` (RFC 6749 section 3.3). */
export const ScopeToken: z.ZodString = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/, 'is not a scope token')

/** An authentication context class; a list of them is separated by spaces (OpenID Connect Core 3.1.2.1). */
const acrValue = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,255}$/, 'is not a context class: printable, without spaces')

/** A language tag (BCP 47), by its syntax. */
const languageTag = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, 'is not a language tag, such as en or pt-BR')

/** Maximum length of all values of acrValues together. */
const MAX_ACR_LENGTH = 512

/** Maximum length of a return address, and of a return address and scopes together. */
const MAX_LENGTH = 2048

/** A return address: an allowed absolute URL, or a path on the service's own origin. */
export const ReturnTo = z
  .string()
  .min(1)
  .max(MAX_LENGTH)
  .optional()
  .describe('Where to send the browser afterwards: a path, or a URL on an allowed origin.')

/** The body of signin, as JSON or as a form (`decodeForm`). */
export const SigninInput = z
  .object({
    providerId: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('Which provider to use. Default: the first one configured.'),
    redirectTo: ReturnTo,
    loginHint: z
      .string()
      .min(1)
      .max(320)
      .optional()
      .describe('Passed to the provider as login_hint (OpenID Connect Core 3.1.2.1).'),
    scopes: z
      .array(ScopeToken)
      .max(50)
      .optional()
      .describe(
        "Scopes to request: any that are configured for the provider or that callers may add. Others are refused. With redirectTo at most 2048 characters. Default: the provider's configured scopes.",
      ),
    prompt: z
      .enum(['login', 'consent', 'select_account'])
      .optional()
      .describe('What the provider should ask the user for, even if it need not.'),
    maxAge: z
      .int()
      .min(0)
      .max(31_536_000)
      .optional()
      .describe(
        'Maximum seconds since the provider authenticated the user; 0 asks for it now. The callback verifies it. Only at providers with stepUp in GET /describe.',
      ),
    acrValues: z
      .array(acrValue)
      .max(10)
      .refine((values) => values.join(' ').length <= MAX_ACR_LENGTH, {
        error: `must have at most ${MAX_ACR_LENGTH} characters together`,
      })
      .optional()
      .describe(
        'Authentication context classes, the preferred one first. The callback verifies that the provider used one of them. Only at providers with stepUp.',
      ),
    uiLocales: z
      .array(languageTag)
      .max(10)
      .optional()
      .describe('Languages for the pages of the provider, the preferred one first.'),
    link: z
      .boolean()
      .optional()
      .describe(
        'Adds the account at the provider to the signed-in user instead of signing in with it; the session stays. Needs a sign-in at most five minutes old. Default: false.',
      ),
  })
  // The transaction stores both (and acrValues), and any anonymous caller can open one: bound its size.
  .refine(
    ({ redirectTo = '', scopes = [] }) => redirectTo.length + scopes.join(' ').length <= MAX_LENGTH,
    { path: ['scopes'], error: `must have at most ${MAX_LENGTH} characters with redirectTo` },
  )
  .meta({
    id: 'SigninInput',
    description: 'How to sign in.',
    examples: [{ redirectTo: '/' }],
  })
export type SigninInput = z.infer<typeof SigninInput>

/** The response of signin to JSON: where to send the browser. */
export const SigninResponse = z
  .object({
    started: z.literal(true).describe('A sign-in transaction is open for this browser.'),
    providerId: z.string().describe('The provider that was chosen.'),
    redirectUrl: z.url().describe('Send the browser here; the transaction lives ten minutes.'),
    state: z.string().describe('The state parameter of the transaction.'),
  })
  .meta({
    id: 'SigninResponse',
    description: 'A sign-in that waits for the browser.',
    examples: [
      {
        started: true,
        providerId: 'local',
        redirectUrl: 'http://localhost:9094/auth?client_id=netscript&response_type=code',
        state: 'Zr6FQ0Yq0m1c1wEoUQb3bW0cPp1Wb0m3qV6m2o0x7aA',
      },
    ],
  })
export type SigninResponse = z.infer<typeof SigninResponse>

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
