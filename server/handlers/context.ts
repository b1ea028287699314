import {
  AuthBackendOperationUnsupportedError,
  type AuthBackendPort,
  AuthError,
  type AuthnRequest,
  type InteractiveFlowPort,
  providerError,
} from '@netscript/plugin-auth-core'
import type { ReturnToPolicy } from '@netscript/plugin-auth-core/internal'
import type { Origins } from '../engine/cross-origin.js'
import type { ServiceKeys } from '../tokens/service-keys.js'
import type { TokenIssuer } from '../tokens/token-issuer.js'

/** Dependencies shared by all handlers. */
export interface HandlerContext {
  readonly backend: AuthBackendPort
  readonly returnTo: ReturnToPolicy
  /** The public origin of the service. */
  readonly origin: string
  /** Origins whose pages may send requests that change state. */
  readonly allowedOrigins: Origins
  /** Absent when no tokens are issued. */
  readonly tokens?: TokenIssuer
  /** Absent when no tokens of providers are returned to services. */
  readonly serviceKeys?: ServiceKeys
}

/** A request as handlers receive it. */
export interface HandlerRequest extends AuthnRequest {
  /** As sent, without the question mark. */
  readonly query: string
  /** Whether the direct peer is a proxy that may set X-Forwarded-*. */
  isFromTrustedProxy(): boolean
}

/**
 * The redirect flow of the backend.
 * @throws AuthError `AUTH_PROVIDER_ERROR` when the backend has none; the detail says where to sign in
 * instead.
 */
export function interactiveFlow(backend: AuthBackendPort, operation: string): InteractiveFlowPort {
  if (backend.interactive) return backend.interactive
  const instead = backend.signInHint ? ` ${backend.signInHint}` : ''
  const reason = `The ${backend.name} backend has no interactive ${operation}.${instead}`
  const cause = new AuthBackendOperationUnsupportedError(backend.name, operation, reason)
  throw providerError(backend.name, reason, { cause })
}

/** The error for an operation that the backend does not support. */
export const unsupported = (cause: AuthBackendOperationUnsupportedError): AuthError =>
  new AuthError(
    'AUTH_OPERATION_UNSUPPORTED',
    `The ${cause.backendName} backend does not support ${cause.operation}. GET /describe says what it supports.`,
    { cause },
  )

/**
 * A part of the backend that not every backend has.
 * @throws AuthError `AUTH_OPERATION_UNSUPPORTED` when it is absent.
 */
export function requirePart<Part>(
  { name }: AuthBackendPort,
  part: Part | undefined,
  { operation, reason }: { operation: string; reason: string },
): Part {
  if (part) return part
  throw unsupported(new AuthBackendOperationUnsupportedError(name, operation, reason))
}
