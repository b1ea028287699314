import { z } from 'zod'

/**
 * Every error of the API: its HTTP status and its title. Codes are stable for the life of v1.
 * Problem documents, the OpenAPI document and the tests are generated from this table.
 */
export const AUTH_ERRORS = {
  MALFORMED_REQUEST: { status: 400, title: 'The request could not be read' },
  AUTH_TRANSACTION_MISSING: { status: 400, title: 'There is nothing to continue in this browser' },
  AUTH_TRANSACTION_EXPIRED: { status: 400, title: 'This link has expired or was already used' },
  LOGOUT_TOKEN_INVALID: { status: 400, title: 'The logout token is not valid' },
  UNAUTHORIZED: { status: 401, title: 'Sign-in is required' },
  AUTH_RECENT_SIGN_IN_REQUIRED: { status: 401, title: 'A recent sign-in is required' },
  ORIGIN_NOT_ALLOWED: { status: 403, title: 'The request came from another site' },
  HOST_NOT_ALLOWED: { status: 403, title: 'Sign-in does not cover this host' },
  AUTH_ACCESS_DENIED: { status: 403, title: 'Sign-in was declined' },
  AUTH_NOT_ADMITTED: { status: 403, title: 'This account may not sign in here' },
  AUTH_STEP_UP_FAILED: {
    status: 403,
    title: 'The provider did not authenticate you as requested',
  },
  FORBIDDEN: { status: 403, title: 'The caller may not do this' },
  AUTH_USER_DISABLED: { status: 403, title: 'This account is disabled' },
  NOT_FOUND: { status: 404, title: 'There is nothing at this address' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The method is not allowed at this address' },
  PROVIDER_TOKEN_UNAVAILABLE: {
    status: 409,
    title: 'There is no token of the provider with these scopes',
  },
  AUTH_SESSION_CHANGED: { status: 409, title: 'The session changed during the sign-in' },
  AUTH_ACCOUNT_CONFLICT: { status: 409, title: 'This account belongs to another user' },
  AUTH_LAST_ACCOUNT: { status: 409, title: 'The last account cannot be removed' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not supported' },
  VALIDATION_ERROR: { status: 422, title: 'The input is not valid' },
  RETURN_TO_NOT_ALLOWED: { status: 422, title: 'The return address is not allowed' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  AUTH_OPERATION_UNSUPPORTED: { status: 501, title: 'The active backend cannot do this' },
  AUTH_PROVIDER_ERROR: {
    status: 502,
    title: 'The identity provider could not complete the request',
  },
  STORE_UNAVAILABLE: { status: 503, title: 'The session store is not reachable' },
  AUTH_UNAVAILABLE: { status: 503, title: 'The authentication service is not reachable' },
} as const satisfies Record<string, { status: number; title: string }>

/** A stable error code of the contract. */
export type AuthErrorCode = keyof typeof AUTH_ERRORS

/** The HTTP status that belongs to a code. */
export type AuthErrorStatus<C extends AuthErrorCode = AuthErrorCode> =
  (typeof AUTH_ERRORS)[C]['status']

/** `data` of a `VALIDATION_ERROR`: messages for the whole input and for each field. */
export const ValidationErrorData = z
  .object({
    formErrors: z.array(z.string()).describe('Messages about the input as a whole.'),
    fieldErrors: z
      .record(z.string(), z.array(z.string()))
      .describe('Messages by field name; nested fields are joined with a dot.'),
  })
  .meta({ id: 'ValidationErrorData', description: 'Which fields are wrong, and why.' })
export type ValidationErrorData = z.infer<typeof ValidationErrorData>

/** `data` of an `AUTH_PROVIDER_ERROR`: the provider or backend, and a fixed reason. */
export const ProviderErrorData = z
  .object({
    providerId: z.string().optional().describe('The provider, or the backend when it has none.'),
    reason: z.string().describe('Why, in words of this service; never the raw text of a library.'),
  })
  .meta({ id: 'ProviderErrorData', description: 'Which provider failed, and why.' })
export type ProviderErrorData = z.infer<typeof ProviderErrorData>

/** `data` of a `FORBIDDEN`: the scopes and roles that the caller lacks. */
export const ForbiddenData = z
  .object({
    missingScopes: z.array(z.string()).describe('Scopes that the caller has not been granted.'),
    missingRoles: z.array(z.string()).describe('Roles that the caller does not have.'),
  })
  .meta({ id: 'ForbiddenData', description: 'What the caller lacks.' })
export type ForbiddenData = z.infer<typeof ForbiddenData>

/** The sign-in that meets a requirement: the body of `POST /signin`, without `redirectTo`. */
export const RequiredSignIn = z
  .object({
    providerId: z.string().optional().describe('The provider of the session.'),
    maxAge: z.int().min(0).optional().describe('Absent if the provider cannot verify it.'),
    acrValues: z.array(z.string()).optional().describe('Context classes, of which one suffices.'),
  })
  .meta({ id: 'RequiredSignIn', description: 'The sign-in that meets a requirement.' })
export type RequiredSignIn = z.infer<typeof RequiredSignIn>

/** `data` of an `AUTH_RECENT_SIGN_IN_REQUIRED`: the requirement, and the sign-in that meets it. */
export const RecentSignInData = z
  .object({
    maxAge: z.int().min(0).describe('Maximum seconds since the user authenticated.'),
    acrValues: z.array(z.string()).optional().describe('Context classes, of which one suffices.'),
    signin: RequiredSignIn.optional().describe('The sign-in to start. Add redirectTo.'),
  })
  .meta({ id: 'RecentSignInData', description: 'How recent a sign-in must be.' })
export type RecentSignInData = z.infer<typeof RecentSignInData>

/** `data` of a `PROVIDER_TOKEN_UNAVAILABLE`: what is missing, and the sign-in that grants it. */
export const ProviderTokenData = z
  .object({
    providerId: z.string().describe('The provider whose token was requested.'),
    missingScopes: z
      .array(z.string())
      .describe('Requested scopes that the user has not granted; empty if the token has expired.'),
    signin: z
      .object({
        providerId: z.string().describe('The provider.'),
        scopes: z.array(z.string()).describe('The granted scopes and the missing ones.'),
        link: z
          .literal(true)
          .optional()
          .describe('Present if the user signed in at another provider: links the account.'),
      })
      .meta({
        id: 'ProviderTokenSignin',
        description:
          'The body of POST /signin, to send from the browser of the user. Add redirectTo.',
      }),
  })
  .meta({ id: 'ProviderTokenData', description: 'How the user can grant what is missing.' })
export type ProviderTokenData = z.infer<typeof ProviderTokenData>

const DATA = {
  AUTH_RECENT_SIGN_IN_REQUIRED: RecentSignInData,
  FORBIDDEN: ForbiddenData,
  PROVIDER_TOKEN_UNAVAILABLE: ProviderTokenData,
  VALIDATION_ERROR: ValidationErrorData,
  AUTH_PROVIDER_ERROR: ProviderErrorData,
} as const

/** The type of `data` for a code; `undefined` for a code without data. */
export type AuthErrorData<C extends AuthErrorCode> = C extends keyof typeof DATA
  ? z.infer<(typeof DATA)[C]>
  : undefined

/** An RFC 9457 problem document with a stable `code`. */
export interface Problem<C extends AuthErrorCode = AuthErrorCode> {
  /** The URI of the kind of problem, one for each code. */
  type: string
  /** A short title, fixed for each code. */
  title: string
  /** The HTTP status, repeated. */
  status: AuthErrorStatus<C>
  /** What happened this time and how to fix it. */
  detail: string
  /** The stable code to switch on. */
  code: C
  /** Structured details; absent for most codes. */
  data?: AuthErrorData<C> | undefined
}

/** The `type` URI of a code (RFC 9457 section 3.1.1). */
export function problemType(code: AuthErrorCode): string {
  return `urn:netscript:auth:problem:${code.toLowerCase().replaceAll('_', '-')}`
}

/** Creates the problem document of a code. `detail` says what happened, then how to fix it. */
export function problemOf<C extends AuthErrorCode>(
  code: C,
  detail: string,
  data?: AuthErrorData<C>,
): Problem<C> {
  const { status, title } = AUTH_ERRORS[code]
  return {
    type: problemType(code),
    title,
    status,
    detail,
    code,
    ...(data !== undefined && { data }),
  }
}

function problemSchema<C extends AuthErrorCode>(code: C): z.ZodType<Problem<C>> {
  const { status, title } = AUTH_ERRORS[code]
  const data = code in DATA ? { data: DATA[code as keyof typeof DATA] } : {}
  const id = code.toLowerCase().replace(/(^|_)(.)/g, (_, _sep, c: string) => c.toUpperCase())
  return z
    .object({
      type: z.literal(problemType(code)).describe('Identifies the kind of problem.'),
      title: z.literal(title).describe('The kind of problem in a few words.'),
      status: z.literal(status).describe('The HTTP status, repeated.'),
      detail: z.string().describe('What happened this time and how to fix it.'),
      code: z.literal(code).describe('The stable code to switch on.'),
      ...data,
    })
    .meta({ id: `${id}Problem`, description: title }) as unknown as z.ZodType<Problem<C>>
}

const SCHEMAS = Object.fromEntries(
  (Object.keys(AUTH_ERRORS) as AuthErrorCode[]).map((code) => [code, problemSchema(code)]),
) as { [C in AuthErrorCode]: z.ZodType<Problem<C>> }

/** Any problem document of the contract. */
export const ProblemDocument: z.ZodType<Problem> = z.union(
  Object.values(SCHEMAS) as unknown as [z.ZodType<Problem>, z.ZodType<Problem>],
)

/** Schemas of problem documents by status; the return type of {@link problems}. */
type ProblemResponses<C extends AuthErrorCode> = {
  [S in AuthErrorStatus<C>]: z.ZodType<
    { [K in C]: AuthErrorStatus<K> extends S ? Problem<K> : never }[C]
  >
}

/**
 * The error responses of a route, by status: `problems('INTERNAL', 'STORE_UNAVAILABLE')`.
 * Codes that share a status become a union that narrows on `code`.
 *
 * @example
 * ```ts
 * const responses = { 200: z.object({ id: z.string() }), ...problems('UNAUTHORIZED', 'FORBIDDEN') }
 * ```
 */
export function problems<C extends AuthErrorCode>(...codes: C[]): ProblemResponses<C> {
  const byStatus = new Map<number, z.ZodType[]>()
  for (const code of codes) {
    const { status } = AUTH_ERRORS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), SCHEMAS[code]])
  }
  const responses = [...byStatus].map(([status, schemas]) => [
    status,
    schemas.length === 1 ? schemas[0] : z.union(schemas as [z.ZodType, z.ZodType]),
  ])
  return Object.fromEntries(responses) as ProblemResponses<C>
}

/** The errors of a route that reads a body. */
export const BODY_ERRORS = [
  'MALFORMED_REQUEST',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
] as const satisfies readonly AuthErrorCode[]
