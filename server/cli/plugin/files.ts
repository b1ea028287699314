import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { ownSchema } from '@netscript/auth-database/internal'
import { defaultSchema, type PrismaProject } from '../db/project.js'

/** The config file that is created when there is none. */
export const CONFIG_FILE = 'prisma.config.ts'

const CONFIG = (schema: string): string => `import { existsSync } from 'node:fs'
import type { PrismaConfig } from 'prisma/config'

if (existsSync('.env')) process.loadEnvFile('.env')
const url = process.env.DATABASE_URL

export default {
  schema: '${schema}',
  migrations: { path: 'prisma/migrations' },
  // Without DATABASE_URL the netscript commands bring an embedded Postgres.
  ...(url && { datasource: { url } }),
} satisfies PrismaConfig
`

const DATASOURCE = `datasource db {
  provider = "postgresql"
}
`

const CLIENT = (output: string, isModule: boolean): string => `generator client {
  provider            = "prisma-client"
  output              = "${output}"
  moduleFormat        = "${isModule ? 'esm' : 'cjs'}"
  importFileExtension = "js"
}
`

const ZOD = (output: string): string => `generator zod {
  provider = "netscript-zod"
  output   = "${output}/zod"
}
`

/**
 * Creates the missing parts of a Prisma project: a config, a datasource, and generators for the client
 * and the zod schemas. Existing parts are left unchanged.
 */
export function prismaFiles(
  project: PrismaProject,
  { isModule, ownsConfig }: { isModule: boolean; ownsConfig: boolean },
): Readonly<Record<string, string>> {
  const { root, schema, configFile } = project
  const written = readSchemas(project)
  const output = posix.relative(schema, generatedDirectory(project))
  const lacks = (pattern: RegExp): boolean => !pattern.test(written)
  const parts = [
    ...(lacks(/^\s*generator\s+\w+\s*\{[^}]*prisma-client/m) ? [CLIENT(output, isModule)] : []),
    ...(lacks(/^\s*datasource\s/m) ? [DATASOURCE] : []),
    ...(lacks(/^\s*generator\s+\w+\s*\{[^}]*zod/m) ? [ZOD(output)] : []),
  ]
  return {
    ...((configFile === undefined || ownsConfig) && { [CONFIG_FILE]: CONFIG(defaultSchema(root)) }),
    ...(parts.length > 0 && { [`${schema}/${OWN_FILE}`]: parts.join('\n') }),
  }
}

/** Directory of the generated code, beside the migrations. */
export function generatedDirectory({ migrations }: Pick<PrismaProject, 'migrations'>): string {
  return posix.join(posix.dirname(migrations), 'generated')
}

/** Whether something other than the plugin now depends on a file that {@link prismaFiles} created. */
export function isNeededByOthers(project: PrismaProject, path: string): boolean {
  const { root, schema, migrations } = project
  if (path !== CONFIG_FILE && path !== `${schema}/${OWN_FILE}`) return false
  return otherSchemas(project).length > 0 || existsSync(join(root, migrations))
}

/** Reads the schema without the file that this command writes. */
function readSchemas({ root, schema }: PrismaProject): string {
  const files = otherSchemas({ root, schema })
  return files.map((file) => readFileSync(join(root, schema, file), 'utf8')).join('\n')
}

function otherSchemas({ root, schema }: Pick<PrismaProject, 'root' | 'schema'>): string[] {
  return schemaFiles(join(root, schema)).filter(
    (file) => file !== OWN_FILE && !file.startsWith('plugins/'),
  )
}

/** The file that {@link prismaFiles} adds to the schema folder. */
const OWN_FILE = 'netscript.prisma'

function schemaFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.prisma') && !file.includes('node_modules/'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The plugin's part of the database schema. */
export const AUTH_SCHEMA = 'plugins/auth/database/auth.prisma'

const BACKEND = `// The interactive backend wired by hand, for main.ts beside it or a test of your own.
import { createKvOAuthBackend, getRequiredEnv, providers } from '@netscript/auth-kv-oauth'

export const backend = await createKvOAuthBackend({
  provider: providers.google({
    clientId: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_ID'),
    clientSecret: getRequiredEnv('NETSCRIPT_AUTH_CLIENT_SECRET'),
    redirectUri: getRequiredEnv('NETSCRIPT_AUTH_REDIRECT_URI'),
  }),
})
`

const MAIN = `// The auth-api service on the backend of backend.ts. It needs TypeScript and a DATABASE_URL:
//   npm install --save-dev typescript @types/node
//   npx tsc -p services/auth
//   node --env-file=.env services/auth/dist/main.js
// \`npm run auth\` needs neither, and NETSCRIPT_AUTH_BACKEND chooses its backend.
import { getRequiredEnv } from '@netscript/auth-kv-oauth'
import { createAuthService, readConfig } from '@netscript/plugin-auth'
import { backend } from './backend.js'

const service = await createAuthService({
  config: readConfig(process.env, { production: process.env.NODE_ENV === 'production' }),
  databaseUrl: getRequiredEnv('DATABASE_URL'),
  backend,
})
console.log('auth-api listens at', service.url)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => service.close())
`

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
}

/** The files of the auth plugin, by path. */
export function authFiles(): Readonly<Record<string, string>> {
  return {
    [AUTH_SCHEMA]: readFileSync(ownSchema(), 'utf8'),
    // The workspace may be CommonJS; this code awaits at the top.
    'services/auth/package.json': json({ name: 'auth-api', private: true, type: 'module' }),
    'services/auth/tsconfig.json': json(TSCONFIG),
    'services/auth/src/backend.ts': BACKEND,
    'services/auth/src/main.ts': MAIN,
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
