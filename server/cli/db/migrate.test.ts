import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { createEmptyTestDatabase } from '../../../prisma/test-database.js'
import { addAuthPlugin, linkPackages } from '../testing/add-plugin.js'
import { type CliAnswer, runCli, temporaryWorkspace } from '../testing/run-cli.js'
import { runPrisma } from './project.js'

interface Project {
  root: string
  url: string
  db(...args: string[]): Promise<CliAnswer>
  prisma(...args: string[]): ReturnType<typeof runPrisma>
  sql(text: string): Promise<unknown[]>
  write(path: string, text: string): void
}

/** A workspace with the plugin and a new empty database. */
async function newProject(): Promise<Project> {
  const database = await createEmptyTestDatabase()
  const root = temporaryWorkspace()
  linkPackages(root)
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {})
  onTestFinished(async () => {
    await pool.end()
    await database.drop()
  })
  await addAuthPlugin(root)
  return {
    root,
    url: database.url,
    db: (...args) => runCli(root, ['db', ...args], { DATABASE_URL: database.url }),
    prisma: (...args) => runPrisma(root, args, database.url),
    sql: async (text) => (await pool.query<object>(text)).rows,
    write(path, text) {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), text)
    },
  }
}

const NOTES = `model Note {
  id   String @id
  text String
  user AuthUser @relation(fields: [userId], references: [id])
  userId String
}
`

it('creates the first migration from the existing schema, and another when that changes', async () => {
  const project = await newProject()
  project.write('prisma/schema/notes.prisma', NOTES)
  const schema = 'plugins/auth/database/auth.prisma'
  const text = readFileSync(join(project.root, schema), 'utf8')
  project.write(schema, text.replace('accounts      AuthAccount[]', '$&\n  notes Note[]'))

  project.write('prisma/schema/wrong.prisma', 'model Wrong {')
  const wrong = await project.db('init', '--name', 'First notes')
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('wrong.prisma') })
  expect(readdirSync(join(project.root, 'prisma/migrations'))).toEqual(['migration_lock.toml'])
  rmSync(join(project.root, 'prisma/schema/wrong.prisma'))

  const first = await project.db('init', '--name', 'First notes')
  expect(first).toMatchObject({ code: 0 })
  const own = readdirSync(join(project.root, 'prisma/migrations')).filter((name) =>
    name.endsWith('_first_notes'),
  )
  expect(own).toHaveLength(1)
  expect(first.stdout).toContain(`Applied migration ${own[0]}`)
  expect(await project.sql('SELECT * FROM "Note"')).toEqual([])

  const again = await project.db('init', '--name', 'other')
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('already') })
  expect(again.stdout).not.toContain('Made')

  project.write('prisma/schema/notes.prisma', NOTES.replace('text String', 'text String?'))
  const more = await project.db('migrate', '--name', 'optional')
  expect(more.stdout).toMatch(/Made migration \d{14}_optional\nApplied migration \d{14}_optional\n/)
  const same = await project.db('migrate', '--name', 'nothing')
  expect(same.stdout).toMatch(/no new one is needed/)
  const live = await project.prisma(
    ...['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema'],
    '--exit-code',
  )
  expect(live).toMatchObject({ code: 0 })
}, 120_000)

it('reports the same status of each migration as Prisma', async () => {
  const project = await newProject()
  const both = async (): Promise<{ code: number; states: string[]; said: string }> => {
    const [ours, theirs] = await Promise.all([
      project.db('status', '--json'),
      project.prisma('migrate', 'status'),
    ])
    expect(ours.code).toBe(theirs.code)
    const { upToDate, migrations } = JSON.parse(ours.stdout) as {
      upToDate: boolean
      migrations: { name: string; state: string }[]
    }
    expect(upToDate).toBe(ours.code === 0)
    const said = `${theirs.stdout}${theirs.stderr}`
    for (const { name, state } of migrations) {
      if (state === 'pending' || state === 'failed') expect(said).toContain(name)
    }
    return { code: ours.code, states: migrations.map(({ state }) => state), said }
  }
  await project.db('migrate')
  const clean = await both()
  expect(clean.code).toBe(0)
  expect(new Set(clean.states)).toEqual(new Set(['applied']))

  const bad = 'prisma/migrations/20990101000000_bad/migration.sql'
  project.write(bad, 'CREATE TABLE half (id INT);\nSELECT nonsense;\n')
  expect(await both()).toMatchObject({
    code: 1,
    states: [...clean.states, 'pending'],
    said: expect.stringContaining('not yet been applied'),
  })

  const failed = await project.db('migrate')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/20990101000000_bad failed and changed nothing.*nonsense/)
  expect(failed.stderr).toContain('netscript db resolve 20990101000000_bad')
  expect(failed.stderr).not.toMatch(/\n\s+at /)
  expect(await project.sql(`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }])
  expect(await both()).toMatchObject({ code: 1, states: expect.arrayContaining(['failed']) })
  expect((await project.db('status')).stdout).toContain('netscript db resolve')

  project.write(bad, 'CREATE TABLE half (id INT);\n')
  expect((await project.db('migrate')).code).toBe(1)
  expect((await project.db('resolve', 'other')).code).toBe(1)
  expect((await project.db('resolve', '20990101000000_bad')).code).toBe(0)
  expect((await project.db('migrate')).stdout).toContain('Applied migration 20990101000000_bad')
  expect(await both()).toMatchObject({ code: 0 })

  rmSync(join(project.root, 'prisma/migrations/20990101000000_bad'), { recursive: true })
  expect(await both()).toMatchObject({ code: 0, states: expect.arrayContaining(['unknown']) })
}, 120_000)

it('marks a failed migration as applied on request', async () => {
  const project = await newProject()
  project.write('prisma/migrations/1_bad/migration.sql', 'SELECT nonsense;\n')
  expect((await project.db('migrate')).code).toBe(1)
  expect((await project.db('resolve', '1_bad', '--applied')).code).toBe(0)
  expect((await project.db('migrate')).code).toBe(0)
  expect((await project.db('status')).code).toBe(0)
  expect((await project.prisma('migrate', 'status')).code).toBe(0)
}, 120_000)

it('seeds idempotently, and resets only when confirmed', async () => {
  const project = await newProject()
  const early = await project.db('seed')
  expect(early).toMatchObject({ code: 1, stderr: expect.stringContaining('netscript db init') })
  await project.db('migrate')
  expect((await project.db('seed')).stdout).toMatch(/Added 2 demo users/)
  expect((await project.db('seed')).stdout).toMatch(/already/)

  const unsure = await project.db('reset')
  expect(unsure).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') })
  const production = await runCli(project.root, ['db', 'reset', '--yes'], {
    DATABASE_URL: project.url,
    NODE_ENV: 'production',
  })
  expect(production).toMatchObject({ code: 1, stderr: expect.stringContaining('production') })
  expect(await project.sql('SELECT count(*)::int AS people FROM auth_users')).toEqual([
    { people: 2 },
  ])

  const reset = await project.db('reset', '--yes')
  expect(reset).toMatchObject({ code: 0 })
  expect(reset.stdout).not.toContain('postgres:')
  expect(await project.sql('SELECT count(*)::int AS people FROM auth_users')).toEqual([
    { people: 0 },
  ])
  expect((await project.db('status')).code).toBe(0)
}, 120_000)

it('explains an unreachable database and a missing schema', async () => {
  const root = temporaryWorkspace()
  const away = await runCli(root, ['db', 'status'], {
    DATABASE_URL: 'postgres://user:hidden@127.0.0.1:1/none',
  })
  expect(away.code).toBe(1)
  expect(away.stderr).toMatch(
    /DATABASE_URL \(the database none at 127.0.0.1:1\): nothing listens there\. Start it/,
  )
  expect(away.stderr).not.toMatch(/hidden|\n\s+at /)
  const wrong = await runCli(root, ['db', 'status'], { DATABASE_URL: 'mysql://x' })
  expect(wrong.stderr).toMatch(/DATABASE_URL: must begin with postgres/)
  const bare = await runCli(root, ['db', 'init'])
  expect(bare).toMatchObject({ code: 1, stderr: expect.stringContaining('plugin add auth') })
})

it.each(['the role', 'the URL'])(
  'keeps all tables in the schema that %s names, those of Prisma too',
  async (where) => {
    const project = await newProject()
    const name = new URL(project.url).pathname.slice(1)
    const url = where === 'the URL' ? `${project.url}?schema=My%20app` : project.url
    if (where === 'the role') await project.sql(`ALTER DATABASE ${name} SET search_path = "My app"`)
    const db = (...args: string[]) => runCli(project.root, ['db', ...args], { DATABASE_URL: url })

    const first = await db('migrate')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    project.write('prisma/schema/notes.prisma', 'model Note {\n  id String @id\n}\n')
    const made = await db('migrate', '--name', 'notes')
    expect(made.stderr).toBe('')
    expect(made.stdout).toMatch(/Made migration \d+_notes\nApplied migration \d+_notes/)
    expect((await db('migrate', '--name', 'nothing')).stdout).toMatch(/no new one is needed/)
    expect(await db('status')).toMatchObject({ code: 0 })
    expect((await db('seed')).stdout).toMatch(/Added 2 demo users/)
    const reset = await db('reset')
    expect(reset.stderr).toContain('--yes')
    expect(await db('reset', '--yes')).toMatchObject({ code: 0 })
    expect(
      await project.sql(`SELECT DISTINCT schemaname FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`),
    ).toEqual([{ schemaname: 'My app' }])
    expect(await project.sql('SELECT count(*)::int AS notes FROM "My app"."Note"')).toEqual([
      { notes: 0 },
    ])
  },
  240_000,
)
