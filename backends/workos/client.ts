import type { WorkOS } from '@workos-inc/node'
import { AuthError, providerError } from '@netscript/plugin-auth-core'
import type { WorkosSettings } from './options.js'

/** The part of the SDK that this backend uses. */
export type UserManagement = WorkOS['userManagement']

/** Loads the SDK, which a process with another backend never pays for. */
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

/** The SDK's own timeout ends with the response headers; this one covers the body as well. */
function boundedFetch(timeoutMs: number): typeof fetch {
  return (input, init) => {
    const signals = [AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])]
    return fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(signals) })
  }
}

/** The HTTP status with which the API answered, when an error of the SDK has one. */
export function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as { status?: unknown }
  return typeof status === 'number' ? status : undefined
}

/** WorkOS is unreachable, so the caller is unknown: never answer that there is no session. */
export function workosUnavailable(
  cause: unknown,
  setCookies: readonly string[] = [],
): AuthError<'STORE_UNAVAILABLE'> {
  return new AuthError('STORE_UNAVAILABLE', 'WorkOS is unavailable. Try again in a moment.', {
    cause,
    setCookies,
  })
}

/** WorkOS did not do what it was asked to. */
export function workosFailed(detail: string, cause: unknown): AuthError<'AUTH_PROVIDER_ERROR'> {
  return providerError('workos', detail, { cause })
}
