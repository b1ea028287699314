import { AuthConfigurationError, isAuthError } from '@netscript/plugin-auth-core'
import { networkReason, printable } from '@netscript/plugin-auth-core/internal'
import { isClientError } from './client-auth.js'

/** Message for the user; the cause is only in the log. */
export const NOT_IDENTIFIED = 'The provider did not say who signed in. Try again.'
/** @see NOT_IDENTIFIED */
export const NOT_VERIFIED =
  'The answer of the provider could not be verified. Start the sign-in again.'

/** An unusable response of a provider. `failure` is the cause in the log. */
export class ProviderAnswerError extends Error {
  override readonly name = 'ProviderAnswerError'
  readonly status: number | undefined
  constructor(
    readonly failure: string,
    message: string,
    { status, ...options }: ErrorOptions & { status?: number } = {},
  ) {
    super(message, options)
    this.status = status
  }
}

/** Like {@link ProviderAnswerError}, for a problem that only the operator can fix, here or at the provider. */
export class ProviderSetupError extends AuthConfigurationError {
  constructor(
    readonly failure: string,
    message: string,
  ) {
    super(message)
  }
}

/** Log fields of a failed exchange with a provider. The causes are stable, for queries. */
interface ProviderFailure {
  /** A stable identifier, such as `client-refused` or `id-token-nonce-missing`. */
  readonly cause: string
  /** The HTTP status, if it was the cause. */
  readonly providerStatus?: number
  /** The provider's own error code (RFC 6749 section 5.2) and description. */
  readonly providerError?: string
  readonly providerErrorDescription?: string
}

/** Describes an error for the log; `undefined` if no provider caused it. */
export function failureOf(error: unknown): ProviderFailure | undefined {
  const codes = ['AUTH_PROVIDER_ERROR', 'AUTH_ACCESS_DENIED', 'AUTH_STEP_UP_FAILED']
  if (isAuthError(error) && !codes.includes(error.code)) return undefined
  const chain = causesOf(error)
  const refusal = refusalIn(error)
  const status = first(chain, statusOf)
  const said = refusal && refusal.error !== NO_OAUTH_ERROR ? refusal : undefined
  return {
    cause: causeOf(chain, refusal?.error, status),
    ...(status !== undefined && { providerStatus: status }),
    ...(said && { providerError: printable(said.error) }),
    ...(said?.description !== undefined && {
      providerErrorDescription: printable(said.description),
    }),
  }
}

function causeOf(
  chain: readonly Error[],
  refusal: string | undefined,
  status: number | undefined,
): string {
  if (refusal === NO_OAUTH_ERROR) return status === 401 ? 'client-refused' : 'unexpected-status'
  if (refusal !== undefined) {
    if (isDeclined(refusal)) return 'declined'
    return isClientError(refusal) ? 'client-refused' : 'provider-error'
  }
  const known = first(chain, ownCause) ?? first(chain, libraryCause)
  if (known !== undefined) return known
  if (status !== undefined) return 'unexpected-status'
  // The error of fetch when there is no response, or its body is cut off.
  const network = chain.find((error) => error instanceof TypeError && error.cause instanceof Error)
  return network ? networkReason(network).failure : 'other'
}

/** An error and its causes, outermost first. */
function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let one = error; one instanceof Error && chain.length < 8; one = one.cause) chain.push(one)
  return chain
}

function first<T>(chain: readonly Error[], find: (error: Error) => T | undefined): T | undefined {
  for (const error of chain) {
    const found = find(error)
    if (found !== undefined) return found
  }
  return undefined
}

/** The status of the provider's response. The status of an AuthError is that of this service. */
export function statusOf(error: unknown): number | undefined {
  if (isAuthError(error)) return undefined
  const { status, cause } = error as { status?: unknown; cause?: unknown }
  if (cause instanceof Response) return cause.status
  return typeof status === 'number' ? status : undefined
}

function ownCause(error: Error): string | undefined {
  return error instanceof ProviderAnswerError || error instanceof ProviderSetupError
    ? error.failure
    : undefined
}

/** Required claims of an id_token, in the order in which openid-client checks them. */
const REQUIRED_CLAIMS = ['aud', 'exp', 'iat', 'iss', 'sub', 'nonce']

/** Maps an error of openid-client. The cause of its cause has the compared values. */
function libraryCause(error: Error): string | undefined {
  const inner = error.cause instanceof Error ? error.cause : error
  const details = isObject(inner.cause) ? inner.cause : {}
  switch ((error as { code?: unknown }).code) {
    case 'OAUTH_TIMEOUT':
    case 'OAUTH_ABORT':
      return 'timeout'
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
      return 'not-json'
    case 'OAUTH_PARSE_ERROR':
      return inner.message.includes('JWT') ? 'id-token-malformed' : 'not-json'
    case 'OAUTH_KEY_SELECTION_FAILED':
      return 'id-token-key'
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return `id-token-${String(details.claim)}`
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return details.attribute === 'sub' ? 'user-info-sub' : 'issuer-mismatch'
    case 'OAUTH_MISSING_SERVER_METADATA':
    case 'OAUTH_INVALID_SERVER_METADATA':
      return 'metadata-incomplete'
    case 'OAUTH_INVALID_RESPONSE':
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return invalidResponse(inner.message, details)
    default:
      return undefined
  }
}

function invalidResponse(
  message: string,
  details: Readonly<Record<string, unknown>>,
): string | undefined {
  const { claims } = details
  if (isObject(claims)) {
    const missing = REQUIRED_CLAIMS.find((name) => claims[name] === undefined)
    return missing === undefined ? 'id-token-malformed' : `id-token-${missing}-missing`
  }
  if ('signature' in details) return 'id-token-signature'
  if ('header' in details || 'alg' in details) return 'id-token-algorithm'
  if ('parameters' in details) return 'callback-malformed'
  if (/\bJWT\b/.test(message)) return 'id-token-malformed'
  if (!('body' in details)) return undefined
  const [, property = ''] = /"(\w+)" property/.exec(message) ?? []
  return MALFORMED[property] ?? 'token-response-malformed'
}

/** Failures by missing property, for bodies other than token responses. */
const MALFORMED: Readonly<Record<string, string>> = {
  id_token: 'id-token-missing',
  keys: 'keys-malformed',
  sub: 'user-info-malformed',
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** An error response of a provider (RFC 6749 sections 4.1.2.1 and 5.2). */
interface ProviderRefusal {
  readonly error: string
  readonly description?: string
}

/** Stands for the error code (RFC 6749 section 5.2) of a 400 or 401 response that has none. */
export const NO_OAUTH_ERROR = 'no_oauth_error'

/** An error response of a provider that openid-client does not report. */
export class ProviderRefusedError extends Error {
  override readonly name = 'ProviderRefusedError'
  readonly error_description: string | undefined
  readonly status: number | undefined
  constructor(
    message: string,
    readonly error: string,
    { description, status }: { description?: string | undefined; status?: number },
  ) {
    super(message)
    this.error_description = description
    this.status = status
  }
}

/** Finds the error response among the causes of an error, including errors of openid-client. */
export function refusalIn(error: unknown, depth = 0): ProviderRefusal | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined
  const { error: code, error_description: description } = error as Partial<
    Record<'error' | 'error_description', unknown>
  >
  if (typeof code !== 'string') return refusalIn(error.cause, depth + 1)
  return { error: code, ...(typeof description === 'string' && { description }) }
}

/**
 * Whether the user declined or must first take an action at the provider. Besides the standard codes
 * it recognizes those of LinkedIn and Apple (`user_cancelled_login`) and similar ones.
 */
export function isDeclined(error: string): boolean {
  const code = error.toLowerCase().replaceAll('-', '_')
  return (
    /(^|_)(abort|aborted|cancel|cancell?ed|denied|declined|refused|rejected)(_|$)/.test(code) ||
    /^(interaction|login|consent|account_selection)_required$/.test(code) ||
    code === 'unmet_authentication_requirements'
  )
}

const MISCONFIGURED = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_response_type',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_redirect_uri',
  'redirect_uri_mismatch',
  'incorrect_client_credentials',
  'request_not_supported',
  'request_uri_not_supported',
  'registration_not_supported',
  'invalid_request_uri',
  'invalid_request_object',
])

/** Whether only the operator can fix the error, here or at the provider; a retry cannot help. */
export function isMisconfigured(error: string): boolean {
  return MISCONFIGURED.has(error)
}

const COUNTED = new Set([
  ...MISCONFIGURED,
  ...['access_denied', 'server_error', 'temporarily_unavailable', 'invalid_grant'],
  ...['interaction_required', 'login_required', 'consent_required', 'account_selection_required'],
])

/** The metric label of an error response, from a small set of values. */
export function refusalLabel({ error }: ProviderRefusal): string {
  if (COUNTED.has(error)) return error
  return isDeclined(error) ? 'access_denied' : 'other'
}
