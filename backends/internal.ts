/**
 * Internal to the packages of this repository; it may change in any release.
 *
 * @module
 */
export {
  announcesBody,
  BodyConsumedError,
  formFields,
  isMisreadJson,
  isPlainObject,
} from './body-consumed.js'
export { type AuditEventType, type AuditLog, createSubjectHash, keyFingerprint } from './audit.js'
export { type ClientNetwork, clientNetworks } from './client-network.js'
export { isoInstant } from './instant.js'
export { codeOf } from './errors.js'
export { createKeyring, decodeBase64url, seal, unseal } from './keyring.js'
export { printable } from './log.js'
export { networkReason } from './network-reason.js'
export {
  findPackageManager,
  importPeer,
  installCommand,
  type PackageManager,
  runCommand,
} from './package-manager.js'
export {
  createMemoryRateLimitStore,
  createRateLimitKeys,
  type RateLimitStore,
} from './rate-limit-store.js'
export { createRemoteKeys } from './remote-keys.js'
export {
  BODY_LIMIT,
  isPrefetch,
  originForm,
  pathOf,
  USER_AGENT_LENGTH,
  withCookiesOnly,
} from './request.js'
export { createReturnToPolicy, type ReturnToPolicy } from './return-to.js'
export {
  invalidCursor,
  MAX_SESSIONS_IN_PAGE,
  newestFirst,
  pageOf,
  type SessionPosition,
  type SessionRange,
  sessionRange,
} from './session-page.js'
export { createKeyringSessionTokenCrypto, publicId, randomSecret } from './session-token.js'
export { withinTime } from './within-time.js'
