import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { PostgresPool } from '@netscript/auth-database'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  AUDIT_RETENTION_ROLE,
  auditRetentionSetup,
  countAuditEvents,
  deleteAuditEvents,
} from '../../prisma/postgres-audit-log.js'
import { createPool } from '../../prisma/pool.js'
import {
  createMigratedDatabase,
  type Place,
} from '../../backends/kv-oauth/storage/testing/placed-database.js'
import {
  createEmptyTestDatabase,
  createTestDatabase,
  type TestDatabase,
} from '../../prisma/test-database.js'
import { type NetscriptProcess, startNetscript } from './support/process.js'

/** Roles belong to the cluster, so only this file may create this role. */
describe('the retention of audit events', () => {
  let database: TestDatabase
  /** The owner of the tables, like a service that applies its own migrations. */
  let owner: PostgresPool
  const opened: PostgresPool[] = []
  const running: NetscriptProcess[] = []
  const connect = (url: string): PostgresPool => {
    const pool = createPool(url)
    opened.push(pool)
    return pool
  }

  beforeAll(async () => {
    database = await createTestDatabase()
    owner = createPool(database.url)
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.end('SIGKILL')
    for (const pool of opened.splice(0)) await pool.end()
    await owner.query(`DO $$ BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = '${AUDIT_RETENTION_ROLE}') THEN
        DROP OWNED BY ${AUDIT_RETENTION_ROLE};
        DROP ROLE ${AUDIT_RETENTION_ROLE};
      END IF;
    END $$`)
  })
  afterAll(async () => {
    await owner.end()
    await database.drop()
  })

  async function createRoleUrl(): Promise<string> {
    const password = randomUUID()
    await owner.query(auditRetentionSetup('public').replace("'...'", `'${password}'`))
    return urlFor(AUDIT_RETENTION_ROLE, password)
  }
  const createRole = async (): Promise<PostgresPool> => connect(await createRoleUrl())
  const netscript = async (url: string, ...args: string[]) => {
    const started = startNetscript(['auth', 'audit', 'delete', ...args], { DATABASE_URL: url })
    running.push(started)
    return { code: await started.ended, text: started.output().trim() }
  }
  function urlFor(role: string, password: string): string {
    const url = new URL(database.url)
    url.username = role
    url.password = password
    return url.href
  }
  const add = (count: number, type: string, at: string) =>
    owner.query(
      `INSERT INTO auth_audit_events (type, at, reason)
       SELECT $2, $3::timestamptz, 'event-' || gen_random_uuid() FROM generate_series(1, $1)`,
      [count, type, at],
    )
  const kept = async (): Promise<Record<string, number>> => {
    const { rows } = await owner.query<{ type: string; count: number }>(
      'SELECT type, count(*)::int AS count FROM auth_audit_events GROUP BY type',
    )
    return Object.fromEntries(rows.map(({ type, count }) => [type, count]))
  }

  it('its role deletes events from before a date, in batches, and keeps fingerprints of keys', async () => {
    const retention = await createRole()
    await add(12_000, 'sign-in.completed', '2026-01-31T23:59:59.999Z')
    await add(3, 'token.issued', '2026-02-01T00:00:00Z')
    await add(2, 'key.rotated', '2025-01-01T00:00:00Z')
    const before = new Date('2026-02-01')
    expect(await countAuditEvents(retention, before)).toBe(12_000)
    expect(await deleteAuditEvents(retention, before)).toBe(12_000)
    expect(await deleteAuditEvents(retention, before)).toBe(0)
    expect(await kept()).toEqual({ 'token.issued': 3, 'key.rotated': 2 })
  })

  it('its role changes nothing else', async () => {
    const retention = await createRole()
    await add(1, 'token.issued', '2026-02-01T00:00:00Z')
    const before = await kept()
    for (const statement of [
      `UPDATE auth_audit_events SET reason = 'forged'`,
      'TRUNCATE auth_audit_events',
      `INSERT INTO auth_audit_events (type) VALUES ('forged')`,
      'DELETE FROM auth_users',
      'SELECT 1 FROM auth_keyv',
    ]) {
      await expect(retention.query(statement)).rejects.toThrow(/permission denied/)
    }
    expect(await kept()).toEqual(before)
  })

  it('no other role deletes: neither the owner of the table nor one with the privilege', async () => {
    await createRole()
    await add(1, 'token.issued', '2026-02-01T00:00:00Z')
    const role = `service_${randomUUID().replaceAll('-', '')}`
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
    await owner.query(`GRANT ALL ON auth_audit_events TO ${role}`)
    try {
      const service = connect(urlFor(role, 'secret'))
      for (const pool of [owner, service]) {
        await expect(pool.query('DELETE FROM auth_audit_events')).rejects.toThrow(/append-only/)
      }
      await expect(deleteAuditEvents(service, new Date())).rejects.toThrow(
        /permission denied to set role .*Set DATABASE_URL to a connection as this role/,
      )
    } finally {
      await owner.query(`DROP OWNED BY ${role}`)
      await owner.query(`DROP ROLE ${role}`)
    }
  })

  it('says how to create the role when there is none', async () => {
    await expect(countAuditEvents(owner, new Date())).rejects.toMatchObject({
      code: 'AUTH_CONFIGURATION_ERROR',
      message: expect.stringContaining(auditRetentionSetup('public')) as string,
    })
  })

  it.each<[string, Place]>([
    ['search_path of a role', { ownRole: true, settings: { search_path: 'app' }, schema: 'app' }],
    ['options= in the URL', { parameters: { options: '-c search_path=app' }, schema: 'app' }],
    ['schema= in the URL', { parameters: { schema: 'User' }, schema: 'User' }],
    [
      'schema= in the URL, with pgbouncer=true',
      { parameters: { schema: 'app', pgbouncer: 'true' }, schema: 'app' },
    ],
  ])('works in another schema by following the error message: %s', async (_where, place) => {
    const placed = await createMigratedDatabase(place)
    const administrator = new pg.Client({ connectionString: administratorUrl(placed) })
    await administrator.connect()
    try {
      const refusal = (await countAuditEvents(connect(placed.url), new Date()).catch(
        (error: unknown) => error,
      )) as Error
      const [, setup = ''] = refusal.message.split('run:\n')
      await administrator.query(setup.replace("'...'", "'secret'"))
      const url = new URL(placed.url)
      url.username = AUDIT_RETENTION_ROLE
      url.password = 'secret'
      const retention = connect(url.href)
      const table = `${pg.escapeIdentifier(place.schema ?? '')}.auth_audit_events`
      await administrator.query(`INSERT INTO ${table} (type, at) VALUES ('x', '2026-01-01')`)
      expect(await deleteAuditEvents(retention, new Date('2026-02-01'))).toBe(1)

      const schema = pg.escapeIdentifier(place.schema ?? '')
      await administrator.query(`REVOKE USAGE ON SCHEMA ${schema} FROM ${AUDIT_RETENTION_ROLE}`)
      await expect(countAuditEvents(retention, new Date())).rejects.toThrow(
        `GRANT USAGE ON SCHEMA ${schema} TO`,
      )
    } finally {
      await administrator.query(`DROP OWNED BY ${AUDIT_RETENTION_ROLE}`)
      await administrator.end()
      for (const pool of opened.splice(0)) await pool.end()
      await placed.drop()
    }
  })

  it('tells another role that tables are missing', async () => {
    await createRole()
    const empty = await createEmptyTestDatabase()
    const { code, text } = await netscript(empty.url, '--before', '2026-02-01', '--yes')
    await empty.drop()
    expect(code).toBe(1)
    expect(text).toMatch(/tables are missing.*netscript db migrate/s)
  })

  it('says which privilege is missing', async () => {
    const retention = await createRole()
    await owner.query(`REVOKE DELETE ON auth_audit_events FROM ${AUDIT_RETENTION_ROLE}`)
    await add(1, 'token.issued', '2026-02-01T00:00:00Z')
    await expect(deleteAuditEvents(retention, new Date())).rejects.toThrow(
      /permission denied for table .*GRANT SELECT, DELETE ON public\.auth_audit_events/s,
    )
  })

  it('netscript auth audit delete deletes once the role is granted', async () => {
    const url = await createRoleUrl()
    await owner.query(`SET ROLE ${AUDIT_RETENTION_ROLE}; DELETE FROM auth_audit_events; RESET ROLE`)
    await add(2, 'sign-in.completed', '2026-01-31T12:00:00Z')
    await add(1, 'sign-in.completed', '2026-02-01T00:00:00Z')
    expect(await netscript(url, '--before', '2026-02-01')).toMatchObject({
      code: 1,
      text: expect.stringMatching(
        /Delete 2 audit events from before 2026-02-01T.* --yes/,
      ) as string,
    })
    expect(await kept()).toEqual({ 'sign-in.completed': 3 })
    expect(await netscript(url, '--before', '2026-02-01', '--yes')).toEqual({
      code: 0,
      text: 'Deleted 2 audit events from before 2026-02-01T00:00:00.000Z.',
    })
    const again = await netscript(url, '--before', '2026-01-31T12:00:00+01:00', '--json')
    expect(again).toEqual({ code: 0, text: '{"deleted":0,"before":"2026-01-31T11:00:00.000Z"}' })
    expect(await kept()).toEqual({ 'sign-in.completed': 1 })
  })

  it.each([
    ['a day that does not exist', ['--before', '2026-02-30'], /is not a date/],
    ['no date', ['--before', 'yesterday'], /is not a date/],
    ['a time without a zone', ['--before', '2026-02-01T00:00:00'], /is not a date/],
    ['a date in the future', ['--before', '2999-01-01'], /is in the future/],
    ['a connection as another role', ['--before', '2026-02-01'], /does not exist/],
    ['nothing', [], /required option '--before <date>'/],
  ])('netscript auth audit delete refuses %s', async (_, args, message) => {
    const { code, text } = await netscript(database.url, ...args, '--yes')
    expect(code).toBe(1)
    expect(text).toMatch(message)
  })
})

/** A superuser with a different search_path. */
function administratorUrl({ url }: TestDatabase): string {
  const administrator = new URL(inject('postgresUrl'))
  administrator.pathname = new URL(url).pathname
  return administrator.href
}
