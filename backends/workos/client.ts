import type { WorkOS } from '@workos-inc/node'
import { AuthError, providerError } from '@netscript/plugin-auth-core'
import type { WorkosSettings } from './options.js'

/** The part of the SDK that this backend uses. */
export type UserManagement = WorkOS['userManagement']

/** Loads the SDK lazily, so that processes with another backend do not pay for it. */
export async function createUserManagement(settings: WorkosSettings): Promise<UserManagement> {
  const { WorkOS } = await import('@workos-inc/node')
  const { apiUrl } = settings
  const workos = new WorkOS({
    apiKey: settings.apiKey,
    clientId: settings.clientId,
    apiHostname: apiUrl.hostname,
    https: apiUrl.protocol === 'https:',
    ...(apiUrl.port !== '' && { port: Number(apiUrl.port) }),
    fetchFn: boundedFetch(settings.apiTimeoutMs),
  })
  return workos.userManagement
}

/** Adds a timeout that covers the response body: that of the SDK ends with the headers. */
function boundedFetch(timeoutMs: number): typeof fetch {
  return (input, init) => {
    const signals = [AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])]
    return fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(signals) })
  }
}

/** The HTTP status of an SDK error, if it has one. */
export function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown }
  return typeof status === 'number' ? status : undefined
}

/** The error for an outage of WorkOS, which must never be reported as anonymous. */
export function workosUnavailable(
  cause: unknown,
  setCookies: readonly string[] = [],
): AuthError<'STORE_UNAVAILABLE'> {
  return new AuthError('STORE_UNAVAILABLE', 'WorkOS is unavailable. Try again in a moment.', {
    cause,
    setCookies,
  })
}

/** The error for an operation that WorkOS did not complete. */
export function workosFailed(detail: string, cause: unknown): AuthError<'AUTH_PROVIDER_ERROR'> {
  return providerError('workos', detail, { cause })
}
