/**
 * The authentication service, and what its adapters share. Use `/express`, `/fastify`, `/node` or `/fetch`
 * to mount the API in your own application.
 *
 * @module
 */
export type { AuthApiOptions } from './engine/engine.js'
export type { MountedBackend } from './backends.js'
export type { AuthConfig } from './config/auth-config.js'
export { readConfig } from './config/config.js'
export type { HttpMetrics } from './engine/request-log.js'
export type { RateLimitOptions } from './engine/rate-limit.js'
export {
  createTokenIssuer,
  type TokenIssuer,
  type TokenIssuerOptions,
} from './tokens/token-issuer.js'
export { createServiceKeys, type ServiceKey, type ServiceKeys } from './tokens/service-keys.js'
export type { Variables } from './config/variables.js'
export { createLogger, type Logger } from './log.js'
export { type AuthService, type AuthServiceOptions, createAuthService } from './service.js'
