/**
 * The database of the authentication API: its migrations, and a connection pool with the settings
 * that the backends rely on.
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
