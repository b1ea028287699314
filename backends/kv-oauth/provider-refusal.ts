/** An error response of a provider (RFC 6749 sections 4.1.2.1 and 5.2). */
export interface ProviderRefusal {
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
