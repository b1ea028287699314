#!/usr/bin/env node
/*
 * A schema engine for the Prisma CLI where its native one cannot be downloaded:
 *
 *   PRISMA_SCHEMA_ENGINE_BINARY=prisma/schema-engine.mjs npx prisma migrate status
 *
 * It speaks the protocol of the native engine, JSON-RPC in lines over stdio, and leaves the work to
 * Prisma's own engine in its WebAssembly build over Prisma's own driver adapter.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import pg from 'pg'

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    datamodels: { type: 'string', multiple: true },
    datasource: { type: 'string' },
    'enabled-preview-features': { type: 'string' },
    'extension-types': { type: 'string' },
  },
})
const url = args.datasource ? JSON.parse(args.datasource).url : undefined

/** The target schema for statements and scripts that do not name one. */
const schema = new URLSearchParams(url?.split('?').slice(1).join('?')).get('schema') || undefined

/** Passed as parts: given the whole URL, a pool would ignore a different database name. */
function connection(database) {
  const { host, port, user, password, ssl, ...parsed } = new pg.Client({ connectionString: url })
  const path = schema && pg.escapeIdentifier(schema).replace(/[\s\\]/g, '\\$&')
  return {
    ...{ host, port, user, password, ssl, database: database ?? parsed.database, max: 1 },
    ...(path && { options: `-c search_path=${path}` }),
  }
}

/** Runs a statement that cannot run in a transaction, in `database` or the database of the URL. */
async function administer(statement, database) {
  const client = new pg.Client(connection(database))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** The adapter, extended with what the schema engine needs beyond client queries. */
class MigrationAdapterFactory extends PrismaPg {
  constructor(database) {
    super(connection(database), schema ? { schema } : {})
  }

  async connect() {
    const adapter = await super.connect()
    const { queryRaw } = adapter
    // The system catalogues use "char", a one-letter type that the adapter does not know.
    adapter.queryRaw = async (query) => {
      const letters = []
      const performIO = async () => {
        const result = await adapter.performIO(query)
        result.fields.forEach((field, column) => {
          if (field.dataTypeID !== pg.types.builtins.CHAR) return
          field.dataTypeID = pg.types.builtins.TEXT
          letters.push(column)
        })
        return result
      }
      const result = await queryRaw.call({ __proto__: adapter, performIO }, query)
      for (const column of letters) result.columnTypes[column] = ColumnTypeEnum.Character
      return result
    }
    // The adapter splits scripts at every semicolon, even inside strings and functions.
    adapter.executeScript = (script) =>
      adapter.client.query(script).then(
        () => {},
        (error) => adapter.onError(error),
      )
    return adapter
  }

  async connectToShadowDb() {
    const database = `prisma_migrate_shadow_db_${crypto.randomUUID()}`
    await administer(`CREATE DATABASE ${pg.escapeIdentifier(database)}`)
    if (schema) {
      await administer(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`, database)
    }
    const adapter = await new MigrationAdapterFactory(database).connect()
    const dispose = adapter.dispose.bind(adapter)
    adapter.dispose = async () => {
      await dispose()
      await administer(`DROP DATABASE ${pg.escapeIdentifier(database)} WITH (FORCE)`)
    }
    return adapter
  }
}

/** Node 20 cannot import .wasm, so the module is instantiated manually. */
async function loadEngine() {
  const entry = import.meta.resolve('@prisma/schema-engine-wasm')
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg')
  const wasm = readFileSync(fileURLToPath(new URL('./schema_engine_bg.wasm', entry)))
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return bindings.SchemaEngine
}

let panic = ''
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => (panic = message) }
// A panic rejects no promise, so it is answered here. It is not reported to the CLI as a panic: the
// CLI would offer to report it and exit with 0.
process.on('uncaughtException', (error) => {
  process.exitCode = 1
  answerError({ message: `The schema engine panicked: ${panic || error.stack}` })
})

let starting
/** Started by the first request, so that a refused connection becomes a response. */
function engine() {
  return (starting ??= loadEngine().then((SchemaEngine) => {
    const datamodels = args.datamodels?.map((path) => [path, readFileSync(path, 'utf8')])
    const factory = bindMigrationAwareSqlAdapterFactory(new MigrationAdapterFactory())
    return SchemaEngine.new({ datamodels }, () => {}, factory)
  }))
}

const commands = {
  'can-connect-to-database': () => administer('SELECT 1'),
  'create-database': async () => {
    const { database } = connection()
    await administer(`CREATE DATABASE ${pg.escapeIdentifier(database)}`, 'postgres')
    return { databaseName: database }
  },
}

const methods = {
  createDatabase: commands['create-database'],
  getDatabaseVersion: async () => (await engine()).version(),
  diff: async (params) => {
    const { exitCode, stdout } = await (await engine()).diff(params)
    if (stdout) send({ id: 'print', method: 'print', params: { content: stdout.trimEnd() } })
    return { exitCode }
  },
}

/** Maps Postgres and socket errors to the codes that the CLI explains. */
function explain(error) {
  const { host, port, user, database } = connection()
  const known = {
    '3D000': ['P1003', `Database \`${database}\` does not exist at \`${host}:${port}\`.`],
    '28P01': ['P1000', `Authentication failed at \`${host}:${port}\` for \`${user}\`.`],
    '42P04': ['P1009', `Database \`${database}\` already exists.`],
    ECONNREFUSED: ['P1001', `Can't reach database server at \`${host}:${port}\`.`],
    ENOTFOUND: ['P1001', `Can't reach database server at \`${host}:${port}\`.`],
  }
  const [error_code, message] = known[error.code] ?? [error.code, error.message]
  return { error_code, message }
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

/** The current request; the CLI sends one at a time. */
let request

function answerError(data) {
  if (request === undefined) log('ERROR', data)
  else send({ id: request, error: { code: 4466, message: data.message, data } })
}

async function serve() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line)
    if (!method) continue
    request = id
    try {
      const call = methods[method] ?? (async (input) => (await engine())[method](input))
      send({ id, result: (await call(params)) ?? null })
    } catch (error) {
      answerError(explain(error))
    }
  }
  process.exit()
}

function log(level, fields) {
  process.stderr.write(`${JSON.stringify({ level, target: 'schema_engine::logger', fields })}\n`)
}

async function runCommand(name) {
  log('INFO', { message: `Starting ${name}` })
  await commands[name]().catch((error) => {
    answerError(explain(error))
    process.exitCode = 1
  })
}

await (positionals[0] === 'cli' ? runCommand(positionals[1]) : serve())
