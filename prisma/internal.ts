/**
 * Internal API for the other packages of this repository. May change in any release.
 *
 * @module
 */
export { countAuditEvents, deleteAuditEvents } from './audit-retention.js'
export { auditSessions, endEventType } from './audit-statement.js'
export {
  checkTables,
  databaseReason,
  databaseStartError,
  isFromDatabase,
  storeError,
} from './database-error.js'
export { databaseUrlProblem, parseDatabaseUrl, withSchema } from './database-url.js'
export { engineVariables } from './engine.js'
export { ownMigrations, ownSchema, resolveMigration } from './migrate.js'
export { assertSchemaIsRead, isPooled, POOL_SIZE, queryPrepared } from './pool.js'
export { createPostgresAuditLog } from './postgres-audit-log.js'
export {
  chargeSteps,
  chargeValues,
  countsOf,
  createPostgresRateLimitStore,
  sweepRateLimits,
} from './postgres-rate-limit-store.js'
export { seed } from './seed.js'
export { sweep, sweepBetterAuth } from './sweep.js'
export { tableSchema } from './table-schema.js'
export { inTransaction } from './pool.js'
export { redisCall, storeCall } from './unavailable.js'
export { createUserDirectory, milliseconds } from './user-directory.js'
