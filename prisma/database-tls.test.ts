import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createTestDatabase } from './test-database.js'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../server/local/postgres.js'
import { databaseReason } from './database-error.js'
import { createPool } from './pool.js'
import {
  createTestCertificate,
  describeWithOpenssl,
  type TestCertificate,
} from '../backends/kv-oauth/storage/testing/certificate.js'
import {
  describeWithPgBouncer,
  startPgBouncer,
} from '../backends/kv-oauth/storage/testing/pgbouncer.js'

describeWithOpenssl('TLS', () => {
  let own: TestCertificate
  let other: TestCertificate
  beforeAll(() => {
    own = createTestCertificate('localhost')
    other = createTestCertificate('elsewhere.example')
  })
  afterAll(() => {
    own.remove()
    other.remove()
  })

  /** What a query through the URL answers: its result, or the reason and the fix. */
  const answerOf = async (url: string): Promise<string> => {
    const pool = createPool(url, { connectionTimeoutMs: 10_000 })
    try {
      const { rows } = await pool.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      )
      return `ssl: ${rows[0]?.ssl}`
    } catch (error) {
      const { what, fix } = databaseReason(error, 'DATABASE_URL')
      return `${what}. ${fix}`
    } finally {
      await pool.end()
    }
  }

  it('to a server with a private authority works with sslrootcert, which the error asks for', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'netscript-auth-tls-'))
    let postgres: EmbeddedPostgres | undefined
    try {
      postgres = await startEmbeddedPostgres({
        dataDir: join(directory, 'postgres'),
        settings: {
          ssl: 'on',
          ssl_cert_file: own.certificate,
          ssl_key_file: own.key,
          fsync: 'off',
        },
      })
      const url = postgres.url.replace('127.0.0.1', 'localhost')
      for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
        expect(await answerOf(`${url}?sslmode=${mode}`)).toMatch(
          /not known here \(\w+\)\. Add sslrootcert=.* to DATABASE_URL/,
        )
      }
      expect(await answerOf(`${url}?sslmode=require&sslrootcert=${own.certificate}`)).toBe(
        'ssl: true',
      )
      expect(await answerOf(`${url}?sslmode=require&sslrootcert=${other.certificate}`)).toMatch(
        /not known here/,
      )
      expect(await answerOf(`${postgres.url}?sslmode=no-verify`)).toBe('ssl: true')
      const byAddress = `${postgres.url}?sslmode=require&sslrootcert=${own.certificate}`
      expect(await answerOf(byAddress)).toMatch(/another host name.*in DATABASE_URL/)
    } finally {
      await postgres?.stop()
      await rm(directory, { recursive: true, force: true })
    }
  })

  it('to a server without it says so', async () => {
    expect(await answerOf(`${inject('postgresUrl')}?sslmode=require`)).toBe(
      'the server has no TLS. Remove sslmode from DATABASE_URL, or turn on TLS at the server.',
    )
  })

  describeWithPgBouncer('through a PgBouncer that requires it', () => {
    it('cancels a statement that takes too long', async () => {
      const database = await createTestDatabase()
      const bouncer = await startPgBouncer({
        client_tls_sslmode: 'require',
        client_tls_cert_file: own.certificate,
        client_tls_key_file: own.key,
      })
      const url = bouncer.url(database.url).replace('127.0.0.1', 'localhost')
      const pool = createPool(`${url}?sslmode=require&sslrootcert=${own.certificate}`, {
        queryTimeoutMs: 1_000,
      })
      try {
        await expect(pool.query('SELECT pg_sleep(30)')).rejects.toMatchObject({ code: '57014' })
      } finally {
        await pool.end()
        await bouncer.close()
        await database.drop()
      }
    })
  })
})
