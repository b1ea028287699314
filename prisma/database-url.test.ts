import { afterEach, describe, expect, it, vi } from 'vitest'
import { AuthConfigurationError } from '../backends/errors.js'
import { databaseUrlProblem, parseDatabaseUrl, withSchema } from './database-url.js'
import { createPool } from './pool.js'

const settingsOf = (url: string): Record<string, string> =>
  Object.fromEntries(parseDatabaseUrl(url).settings)

afterEach(() => vi.unstubAllEnvs())

describe('a database URL that cannot be used', () => {
  it.each([
    'postgres://user:se#cret@host/db',
    'postgres://user:12#secret@host/db',
    'postgres://user:12/secret@host/db',
    'postgres://user:se/cret@host/db',
    'postgres://user:s@e/cret@host/db',
    'postgres://user:1?secret@host/db',
    'postgres://user:secret%FF@host/db',
    'postgres://user:secret',
  ])('asks for percent-encoding: %s', (url) => {
    expect(databaseUrlProblem(url)).toMatch(/Percent-encode.*# is %23/)
    expect(() => parseDatabaseUrl(url)).toThrow(AuthConfigurationError)
    expect(() => parseDatabaseUrl(url)).toThrow(/^DATABASE_URL has a user or password/)
  })

  it.each([
    ['several hosts', 'postgres://user:secret@one,two/db', /names several hosts\. Write one/],
    ['several hosts with ports', 'postgres://user:secret@one:1,two:2/db', /several hosts/],
    ['several hosts as a parameter', 'postgres:///db?user=secret&host=one,two', /several hosts/],
    ['no port', 'postgres://secret@host:99999/db', /Write postgresql:\/\/user:password@host/],
    ['a missing file', 'postgres://secret@host/db?sslrootcert=/no/ca.pem', /\/no\/ca\.pem.*ENOENT/],
    [
      'the parameter of another driver for the schema',
      'postgres://secret@host/db?search_path=app',
      /^has search_path=, which is not read\. Write schema=app/,
    ],
    [
      'the parameter of JDBC for the schema',
      'postgres://secret@host/db?currentSchema=app',
      /^has currentSchema=.*Write schema=app/,
    ],
    [
      'another spelling of sslmode: sslMode',
      'postgres://secret@host/db?sslMode=x',
      /^has sslMode=, which is not read\. Write sslmode=/,
    ],
    [
      'another spelling of sslmode: SSLMODE',
      'postgres://secret@host/db?SSLMODE=x',
      /^has SSLMODE=, which is not read\. Write sslmode=/,
    ],
    [
      'another spelling of sslmode: ssl_mode',
      'postgres://secret@host/db?ssl_mode=x',
      /^has ssl_mode=, which is not read\. Write sslmode=/,
    ],
    [
      'another spelling of schema: Schema',
      'postgres://secret@host/db?Schema=x',
      /^has Schema=, which is not read\. Write schema=/,
    ],
    [
      'another spelling of connection_limit: connectionLimit',
      'postgres://secret@host/db?connectionLimit=x',
      /^has connectionLimit=, which is not read\. Write connection_limit=/,
    ],
    ['no limit', 'postgres://secret@host/db?connection_limit=0', /connection_limit that is not/],
    ['another limit', 'postgres://secret@host/db?connection_limit=x', /connection_limit that is/],
    ['no wait', 'postgres://secret@host/db?connect_timeout=0', /connect_timeout that is not/],
    ['a wait for ever', 'postgres://secret@host/db?connect_timeout=-1', /connect_timeout that is/],
    ['a long wait', 'postgres://secret@host/db?connect_timeout=61', /of seconds from 1 to 60/],
    [
      'another spelling of connect_timeout: connectTimeout',
      'postgres://secret@host/db?connectTimeout=5',
      /^has connectTimeout=, which is not read\. Write connect_timeout=/,
    ],
    ['another database', 'mysql://secret@host/db', /must begin with postgres:\/\//],
    ['no URL', 'host=secret dbname=db', /must begin with/],
  ])('says what is wrong with it: %s', (_what, url, message) => {
    expect(databaseUrlProblem(url)).toMatch(message)
    expect(databaseUrlProblem(url)).not.toContain('secret')
  })
})

it.each([
  ['postgres://user:p%23w@host/db', 'the database db at host:5432'],
  ['postgresql://user:p@w@host:5433/db', 'the database db at host:5433'],
  ['postgres://user:p w@host/db', 'the database db at host:5432'],
  ['postgres://user:p%zz@host/db', 'the database db at host:5432'],
  ['postgres://[::1]:5433/db', 'the database db at ::1:5433'],
  ['postgres://user@/db?host=/run/postgresql', 'the database db at /run/postgresql:5432'],
  ['postgres://%2Frun%2Fpostgresql/db', 'the database db at /run/postgresql:5432'],
  ['postgres://host/db?user=a@b', 'the database db at host:5432'],
])('takes %s, and names it without credentials', (url, description) => {
  expect(databaseUrlProblem(url)).toBeUndefined()
  expect(parseDatabaseUrl(url).description).toBe(description)
})

describe('settings', () => {
  it('are those of options, in any of its forms, and of parameters', () => {
    const options = '-c search_path=app,public -cwork_mem=8MB --statement-timeout=1 --Foo.Bar=a\\ b'
    expect(
      settingsOf(`postgres://h/db?lock_timeout=5&options=${encodeURIComponent(options)}`),
    ).toEqual({
      search_path: 'app,public',
      work_mem: '8MB',
      statement_timeout: '1',
      'foo.bar': 'a b',
      lock_timeout: '5',
    })
  })

  it('have the schema of the URL, quoted, over that of its options', () => {
    const url = 'postgres://h/db?schema=My%20%22app%22&options=-c%20search_path%3Dother'
    expect(settingsOf(url)).toEqual({ search_path: '"My ""app"""' })
  })

  it('are taken from PGOPTIONS where the URL has none', () => {
    vi.stubEnv('PGOPTIONS', '-c search_path=app')
    expect(settingsOf('postgres://h/db')).toEqual({ search_path: 'app' })
    expect(settingsOf('postgres://h/db?options=-c%20work_mem=8MB')).toEqual({ work_mem: '8MB' })
  })

  it('leave out the style of dates, which is always ISO', () => {
    expect(settingsOf('postgres://h/db?options=-c%20DateStyle=German%20-c%20work_mem=8MB')).toEqual(
      { work_mem: '8MB' },
    )
  })

  it('leave the words by which some hosts route', () => {
    const url = 'postgres://h/db?options=endpoint%3Dname%20-c%20work_mem=8MB'
    expect(parseDatabaseUrl(url).otherOptions).toEqual(['endpoint=name'])
    expect(settingsOf(url)).toEqual({ work_mem: '8MB' })
  })
})

it('keeps from pg what would replace our time limits or change the protocol', () => {
  const parameters =
    'schema=a&pgbouncer=true&options=-c%20a=b&connect_timeout=9&statement_timeout=0&query_timeout=0&replication=database&application_name=mine&sslmode=require'
  const { connectionString, pooled } = parseDatabaseUrl(`postgres://u:p@h/db?${parameters}`)
  expect(connectionString).toBe('postgres://u:p@h/db?application_name=mine&sslmode=verify-full')
  expect(pooled).toBe(true)
})

it.each([
  {
    what: 'number of connections',
    parameter: 'connection_limit=3',
    told: { max: 5 },
    expected: [{ max: 10 }, { max: 3 }, { max: 5 }],
  },
  {
    what: 'time to wait for a connection',
    parameter: 'connect_timeout=60',
    told: { connectionTimeoutMs: 5 },
    expected: [
      { connectionTimeoutMillis: 2_000 },
      { connectionTimeoutMillis: 60_000 },
      { connectionTimeoutMillis: 5 },
    ],
  },
])('takes the $what from the URL, unless it is told one', async ({ parameter, told, expected }) => {
  const url = 'postgres://host/db'
  const pools = [
    createPool(url),
    createPool(`${url}?${parameter}`),
    createPool(`${url}?${parameter}`, told),
  ]
  expect(pools.map(({ options }) => options)).toMatchObject(expected)
  await Promise.all(pools.map((pool) => pool.end()))
})

it('names the schema for Prisma, which would take public', () => {
  expect(withSchema('postgres://h/db', 'public')).toBe('postgres://h/db')
  expect(withSchema('postgres://h/db?a=1', 'app')).toBe('postgres://h/db?a=1&schema=app')
  expect(withSchema('postgres://h/db?schema=x', 'My app')).toBe('postgres://h/db?schema=My%20app')
})
