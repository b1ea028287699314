/**
 * Migrations of the auth database, and a connection pool with the settings that the backends
 * require.
 *
 * @module
 */
export {
  applyMigrations,
  MigrationError,
  type MigrationOptions,
  type MigrationStatus,
  migrationStatus,
} from './migrate.js'
export { createPool, type PoolOptions } from './pool.js'
export type { PostgresConnection, PostgresPool } from './postgres-pool.js'
