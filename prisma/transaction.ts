import type { PostgresConnection, PostgresPool } from './postgres-pool.js'

const ignore = (): void => undefined

/**
 * Runs `work` in a transaction on a dedicated connection. If it throws, the connection is closed,
 * which rolls back.
 */
export async function inTransaction<T>(
  pool: PostgresPool,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect()
  // Without a listener, a connection that breaks between two statements would crash the process.
  connection.on('error', ignore)
  let broken: Error | undefined
  try {
    await connection.query('BEGIN')
    const result = await work(connection)
    await connection.query('COMMIT')
    return result
  } catch (error) {
    broken = error as Error
    throw error
  } finally {
    connection.off('error', ignore)
    connection.release(broken)
  }
}
