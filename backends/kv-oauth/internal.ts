/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export { ADMISSION_LISTS, admitsEveryone, openProvider } from './admission.js'
export {
  type ClientAuthMethod,
  clientAuthMethodOf,
  clientRefusal,
  isClientRefusal,
} from './client-auth.js'
export { CLOCK_TOLERANCE_SECONDS, getClientConfiguration } from './configuration.js'
export { cookiePolicy } from './session-cookie.js'
export { CLIENT_AUTH_METHODS } from './provider.js'
export { IssuerMismatchError } from './provider-metadata.js'
export { providersById, redirectUriOf } from './define-provider.js'
export { isClaimPath } from './roles.js'
export { createPostgresSessionStore } from './storage/postgres-session-store.js'
export { parseRedisUrls, type RedisTarget } from './storage/redis-url.js'
export { inspectRedis } from './storage/stores.js'
