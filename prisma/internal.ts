/**
 * Internal API for the other packages of this repository. May change in any release.
 *
 * @module
 */
export {
  checkTables,
  databaseReason,
  databaseStartError,
  isFromDatabase,
  redisCall,
  storeCall,
  storeError,
} from './database-error.js'
export { databaseUrlProblem, parseDatabaseUrl, withSchema } from './database-url.js'
export { engineVariables } from './engine.js'
export { resolveMigration } from './migrate.js'
export { ownMigrations, ownSchema } from './migration-files.js'
export {
  assertSchemaIsRead,
  inTransaction,
  isPooled,
  POOL_SIZE,
  queryPrepared,
  tableSchema,
} from './pool.js'
export {
  auditSessions,
  countAuditEvents,
  createPostgresAuditLog,
  deleteAuditEvents,
  endEventType,
} from './postgres-audit-log.js'
export {
  chargeSteps,
  chargeValues,
  countsOf,
  createPostgresRateLimitStore,
  sweepRateLimits,
} from './postgres-rate-limit-store.js'
export { seed } from './seed.js'
export { sweep, sweepBetterAuth } from './sweep.js'
export { createUserDirectory, milliseconds } from './user-directory.js'
