import type * as openid from 'openid-client'
import type { ClientAuth } from 'openid-client'
import type { OAuthProvider } from './provider.js'

/** How a client authenticates at the token endpoint. */
export type ClientAuthMethod = OAuthProvider['clientAuthMethod']

/** The metadata members used here, unvalidated. */
interface Metadata {
  readonly token_endpoint_auth_methods_supported?: unknown
}

/** The methods listed by the metadata; none when it has no list. */
function listedMethods({ token_endpoint_auth_methods_supported: listed }: Metadata): string[] {
  return [listed].flat().filter((method) => typeof method === 'string')
}

/**
 * The client authentication method: the operator's explicit choice, else the provider's preferred
 * method if the metadata lists it or lists nothing, else the other method that sends the secret.
 */
export function clientAuthMethodOf(provider: OAuthProvider, metadata: Metadata): ClientAuthMethod {
  const { clientAuthMethod: preferred, clientAuthMethodIsExplicit } = provider
  const listed = listedMethods(metadata)
  if (clientAuthMethodIsExplicit || preferred === 'none') return preferred
  if (listed.length === 0 || listed.includes(preferred)) return preferred
  return listed.includes('client_secret_basic') ? 'client_secret_basic' : 'client_secret_post'
}

/** The listed methods, when none of them works with the configured credentials. */
export function unusableMethods(
  provider: OAuthProvider,
  metadata: Metadata,
): readonly string[] | undefined {
  if (provider.clientAuthMethodIsExplicit) return undefined
  const listed = listedMethods(metadata)
  const usable = ['client_secret_basic', 'client_secret_post', 'none']
  return listed.length === 0 || listed.some((method) => usable.includes(method))
    ? undefined
    : listed
}

/** Chooses the method per request: the library needs it before it has the metadata. */
export function clientAuth(client: typeof openid, provider: OAuthProvider): ClientAuth {
  const { clientSecret = '' } = provider
  return (server, metadata, body, headers) => {
    const method = clientAuthMethodOf(provider, server)
    if (method === 'client_secret_basic') {
      const { client_id: clientId } = metadata
      const credentials = `${formEncode(clientId)}:${formEncode(clientSecret)}`
      headers.set('authorization', `Basic ${btoa(credentials)}`)
      return
    }
    const authenticate = method === 'none' ? client.None() : client.ClientSecretPost(clientSecret)
    return authenticate(server, metadata, body, headers)
  }
}

/**
 * Whether client_secret_basic percent-encodes the credentials (RFC 6749 section 2.3.1). A provider
 * that does not decode them rejects them as wrong.
 */
function isChangedByEncoding({ clientId, clientSecret = '' }: OAuthProvider): boolean {
  return [clientId, clientSecret].some((text) => formEncode(text) !== text)
}

/** Error codes of a token response that concern the client; GitHub has its own. */
const CLIENT_ERRORS = new Set<unknown>([
  'invalid_client',
  'unauthorized_client',
  'incorrect_client_credentials',
])

/** Whether an error code means that the provider rejected the client. */
export const isClientError = (error: string): boolean => CLIENT_ERRORS.has(error)

/** Whether a token response means that client authentication failed (RFC 6749 section 5.2). */
export function isClientRefusal(status: number, body: { error?: unknown } | undefined): boolean {
  return CLIENT_ERRORS.has(body?.error) || (status === 401 && !isErrorCode(body?.error))
}

/**
 * Whether a value looks like an OAuth error code (`invalid_grant`). Frameworks put texts such as
 * "Bad Request" in the same member.
 */
export const isErrorCode = (error: unknown): error is string =>
  typeof error === 'string' && /^[a-z][a-z0-9_]*$/.test(error)

/** Log fields for a rejected client: its authentication method and what to check. */
export function refusedClient(
  provider: OAuthProvider,
  request: { body?: unknown; headers?: Readonly<Record<string, string>> },
): {
  fields: { event: string; provider: string; clientAuthMethod: ClientAuthMethod }
  message: string
} {
  const clientAuthMethod = methodOf(request)
  return {
    fields: { event: 'provider.client-refused', provider: provider.id, clientAuthMethod },
    message: clientRefusal(provider, clientAuthMethod, VARIABLES),
  }
}

const VARIABLES =
  'clientAuthMethod (NETSCRIPT_AUTH_CLIENT_AUTH_METHOD, or NETSCRIPT_AUTH_<ID>_CLIENT_AUTH_METHOD)'

/**
 * Why a provider may have rejected the client, and the fix. `option` is the setting of the method.
 */
export function clientRefusal(
  provider: OAuthProvider,
  method: ClientAuthMethod,
  option: string,
): string {
  return method === 'client_secret_basic' && isChangedByEncoding(provider)
    ? `The provider refused the client. client_secret_basic percent-encodes characters of this client id or secret (RFC 6749 section 2.3.1), which some providers do not decode. If both are correct, set ${option} to client_secret_post.`
    : `The provider refused the client, which authenticated by ${method}. Check the client id and the client secret, or set ${option} to the method registered at the provider.`
}

function methodOf({ body, headers = {} }: Parameters<typeof refusedClient>[1]): ClientAuthMethod {
  if (new Headers(headers).has('authorization')) return 'client_secret_basic'
  return body instanceof URLSearchParams && body.has('client_secret')
    ? 'client_secret_post'
    : 'none'
}

/**
 * RFC 6749 section 2.3.1, but `-`, `_`, `.` and `~` stay unencoded: they decode to themselves, and
 * providers that do not decode at all, such as X, have them in their secrets.
 */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
