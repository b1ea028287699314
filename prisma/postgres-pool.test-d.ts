import type pg from 'pg'
import type { PostgresConnection, PostgresPool } from './postgres-pool.js'

// Compiled by `npm run check`, never run: pools and connections of pg fit, without a cast.

export const pool = (real: pg.Pool): PostgresPool => real
export const connection = (real: pg.PoolClient): PostgresConnection => real
