import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
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
