import type { CustomFetch } from 'openid-client'
import { type AuthLog, silentLog } from '@netscript/plugin-auth-core'
import { isPlainObject } from '@netscript/plugin-auth-core/internal'
import { isClientRefusal, isErrorCode, refusedClient } from './client-auth.js'
import type { OAuthProvider } from './provider.js'
import {
  NO_OAUTH_ERROR,
  ProviderAnswerError,
  ProviderRefusedError,
  ProviderSetupError,
} from './provider-failure.js'

const MAX_BODY_BYTES = 1024 * 1024

/**
 * Passes the redirect URI of the authorization request to the token request, where it must be
 * identical (RFC 6749 section 4.1.3). openid-client drops its query, and the configuration may have
 * changed.
 */
export const EXACT_REDIRECT_URI = 'netscript_redirect_uri'

/** Nonstandard error codes for `invalid_grant` (RFC 6749 section 5.2). */
const INVALID_GRANT = new Set([
  'bad_verification_code',
  'bad_refresh_token',
  'invalid_code',
  'code_already_used',
  'invalid_refresh_token',
])

/** Time limit of a request to a provider, in seconds. */
export const TIMEOUT_SECONDS = 5

/** Options of {@link createProviderFetch}. */
interface ProviderFetchOptions {
  /** @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch
  /** Time limit of a request without a signal. @default TIMEOUT_SECONDS */
  readonly timeoutSeconds?: number
  /** Receives the reason why a provider rejected the client. @default no log */
  readonly log?: AuthLog
}

/**
 * Creates the HTTP client for a provider. It follows no redirects, reads at most 1 MiB, and converts
 * nonstandard token responses into ones that openid-client understands.
 */
export function createProviderFetch(
  provider: OAuthProvider,
  { fetch, timeoutSeconds = TIMEOUT_SECONDS, log = silentLog }: ProviderFetchOptions = {},
): CustomFetch {
  return async (url, init) => {
    const grantType = init.body instanceof URLSearchParams ? init.body.get('grant_type') : null
    if (grantType === 'authorization_code' && init.body instanceof URLSearchParams) {
      init.body.set('redirect_uri', init.body.get(EXACT_REDIRECT_URI) ?? provider.redirectUri)
      init.body.delete(EXACT_REDIRECT_URI)
    }
    const response = init.signal
      ? await fetchBounded(fetch, url, init)
      : await withinSeconds(timeoutSeconds, (signal) =>
          fetchBounded(fetch, url, { ...init, signal }),
        )
    refuseRedirect(url, response)
    if (grantType === null) return response
    if (isClientRefusal(response.status, parseObject(response.content))) {
      const { fields, message } = refusedClient(provider, init)
      log.warn(fields, message)
    }
    return tokenResponse(provider, response)
  }
}

const UTF8 = new TextDecoder()

/**
 * A response in memory, with the members that openid-client uses. It has no stream: that would cost more
 * than the rest of the response.
 */
class ReceivedResponse extends Response {
  constructor(
    readonly content: Buffer,
    init: ResponseInit,
  ) {
    super(null, init)
  }

  override async json(): Promise<unknown> {
    return JSON.parse(UTF8.decode(this.content))
  }

  override async text(): Promise<string> {
    return UTF8.decode(this.content)
  }

  override clone(): ReceivedResponse {
    return new ReceivedResponse(this.content, this)
  }
}

/** Unlike `AbortSignal.timeout`, leaves no timer behind once the operation has ended. */
async function withinSeconds<T>(
  seconds: number,
  operation: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => {
    controller.abort(new DOMException('The provider did not respond in time.', 'TimeoutError'))
  }, seconds * 1000)
  try {
    return await operation(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** Sends a request without following redirects, and reads at most 1 MiB of the response. */
export async function fetchBounded(
  fetch: typeof globalThis.fetch = globalThis.fetch,
  url: string,
  init: Parameters<CustomFetch>[1],
): Promise<ReceivedResponse> {
  const response = await fetch(url, { ...init, redirect: 'manual' } as RequestInit)
  return copy(response, response.status, await readBounded(response))
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The target of a redirect; `undefined` for other responses. */
export function redirectTarget(response: Response, url: string): URL | undefined {
  const location = response.headers.get('location')
  if (!REDIRECTS.has(response.status) || location === null) return undefined
  return URL.canParse(location, url) ? new URL(location, url) : undefined
}

/** A URL for messages, without its query, which may contain secrets. */
export function withoutQuery(url: string | URL): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/** Rejects redirects: these requests carry a secret or a token, or fetch keys to trust. */
function refuseRedirect(url: string, response: Response): void {
  const target = redirectTarget(response, url)
  if (target === undefined) return
  throw new ProviderSetupError(
    'redirected',
    `${withoutQuery(url)} redirects to ${withoutQuery(target)}, which is followed for metadata only. Correct the address at the provider, or configure the endpoint with the new one.`,
  )
}

/**
 * Normalizes a token response to RFC 6749 section 5. GitHub and Slack report a failed grant with
 * status 200. A `WWW-Authenticate` header hides the error from openid-client. An id_token of a plain
 * OAuth 2.0 provider is dropped, because there are no keys to verify it.
 */
function tokenResponse(provider: OAuthProvider, response: ReceivedResponse): Response {
  const json = parseObject(response.content)
  const { status } = response
  if (isErrorCode(json?.error) && isEmpty(json.access_token)) {
    const error = INVALID_GRANT.has(json.error) ? 'invalid_grant' : json.error
    if (status >= 500) throw failedRequest(status, error, json.error_description)
    return errorResponse(response, status === 200 ? 400 : status, error, json.error_description)
  }
  const isRefusedIn200 = status === 200 && !isEmpty(json?.error) && isEmpty(json?.access_token)
  if (status === 400 || status === 401 || isRefusedIn200) {
    const refused = isRefusedIn200 ? 400 : status
    return errorResponse(response, refused, NO_OAUTH_ERROR, `The status is ${status}.`)
  }
  // Some servers respond with 201.
  if (!json || (status !== 200 && status !== 201)) return copy(response, status, response.content)
  if (provider.kind === 'oidc') refuseEncrypted(provider, json.id_token)
  const { scope, id_token, token_type = 'bearer', ...others } = withoutEmpty(json)
  const tokens = {
    ...others,
    token_type: typeof token_type === 'string' ? token_type.trim() : token_type,
    scope: Array.isArray(scope) ? joined(scope) : scope,
    ...(provider.kind === 'oidc' && { id_token }),
  }
  // openid-client rejects members of a wrong type.
  const isFlat = Object.values(tokens).every((value) => typeof value !== 'object')
  return copy(response, 200, isFlat ? toJson(tokens) : response.content)
}

/** openid-client reads errors (RFC 6749 section 5.2) only with status 400 to 499. */
function failedRequest(status: number, error: string, description: unknown): ProviderRefusedError {
  return new ProviderRefusedError(
    `The token endpoint answered with status ${status} and an error.`,
    error,
    { status, description: typeof description === 'string' ? description : undefined },
  )
}

function errorResponse(
  response: Response,
  status: number,
  error: string,
  description: unknown,
): Response {
  const json = { error, ...(typeof description === 'string' && { error_description: description }) }
  const answer = copy(response, status, toJson(json))
  answer.headers.delete('www-authenticate')
  answer.headers.set('content-type', 'application/json')
  return answer
}

const MEMBERS = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token']

/** The nonempty members of a token response: some providers send `null` or "" for absent ones. */
function withoutEmpty(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    MEMBERS.flatMap((name) => (isEmpty(json[name]) ? [] : [[name, json[name]]])),
  )
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

/** Joins a list of scopes; other lists are returned unchanged. */
function joined(list: unknown[]): unknown {
  const scopes = list.filter((scope) => !isEmpty(scope))
  if (!scopes.every((scope) => typeof scope === 'string')) return list
  return scopes.join(' ') || undefined
}

const toJson = (value: object): Buffer => Buffer.from(JSON.stringify(value))

/** An encrypted token has five parts, a signed one three (RFC 7516 section 9). */
function refuseEncrypted({ id }: OAuthProvider, idToken: unknown): void {
  if (typeof idToken !== 'string' || idToken.split('.').length !== 5) return
  throw new ProviderSetupError(
    'id-token-encrypted',
    `OAuth provider "${id}" encrypts the id_token, which is not supported here. Turn the encryption off for this client at the provider (id_token_encrypted_response_alg).`,
  )
}

/** Parses a body; `undefined` if it is not a JSON object. */
export function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isPlainObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

async function readBounded(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  const body = response.body as unknown as AsyncIterable<Uint8Array> | null
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    // Throwing out of the loop cancels the stream.
    if (size > MAX_BODY_BYTES) {
      throw new ProviderAnswerError(
        'response-too-large',
        `The response is longer than ${MAX_BODY_BYTES} bytes.`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function copy({ headers: received }: Response, status: number, bytes: Buffer): ReceivedResponse {
  const headers = new Headers(received)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return new ReceivedResponse(bytes, { status, headers })
}
