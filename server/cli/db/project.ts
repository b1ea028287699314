import { existsSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, sep } from 'node:path'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { installCommand } from '@netscript/plugin-auth-core/internal'
import type prismaConfig from '@prisma/config'
import { locatePrisma } from './prisma-cli.js'

/** Locations of a workspace's Prisma schema and migrations, as relative paths with slashes. */
export interface PrismaProject {
  readonly root: string
  /** The config file; `undefined` when there is none, and then the other paths are the defaults. */
  readonly configFile: string | undefined
  /** The folder of the schema. */
  readonly schema: string
  readonly migrations: string
  /** The project's own seed command. */
  readonly seed?: string
}

/**
 * Reads the Prisma config of a workspace.
 * @throws AuthConfigurationError when it cannot be read, or when the schema is a single file, which a
 * plugin cannot add to.
 */
export async function readPrismaProject(root: string): Promise<PrismaProject> {
  const { config, resolvedPath, error } = await load(root)
  if (error) {
    throw new AuthConfigurationError(
      `The Prisma config cannot be read: ${'error' in error ? error.error.message : error._tag}. Correct it.`,
    )
  }
  const path = (absolute: string | undefined, otherwise: string): string =>
    absolute === undefined ? otherwise : relative(root, absolute).split(sep).join('/')
  const configFile = resolvedPath ? path(resolvedPath, '') : undefined
  const schema = path(config?.schema, defaultSchema(root))
  const seed = config?.migrations?.seed
  if (statSync(join(root, schema), { throwIfNoEntry: false })?.isFile()) {
    throw new AuthConfigurationError(
      `${schema} is one file, and a plugin adds another. Set \`schema\` in ${configFile ?? 'prisma.config.ts'} to a folder and move the file into it.`,
    )
  }
  return {
    root,
    configFile,
    schema,
    migrations: path(config?.migrations?.path, 'prisma/migrations'),
    ...(seed !== undefined && { seed }),
  }
}

/** The schema folder when no config names one. */
export function defaultSchema(root: string): string {
  return existsSync(join(root, 'prisma/schema.prisma')) ? 'prisma' : 'prisma/schema'
}

type PrismaConfig = typeof prismaConfig
type Loaded = Awaited<ReturnType<PrismaConfig['loadConfigFromFile']>>

/** Sets a placeholder DATABASE_URL, since a config may throw without one and reading it needs no database. */
async function load(root: string): Promise<Partial<Loaded>> {
  const prisma = locatePrisma(root)
  if (prisma === undefined) {
    if (!readdirSync(root).some((name) => /^prisma\.config\.\w+$/.test(name))) return {}
    throw new AuthConfigurationError(
      `There is a Prisma config, but the Prisma CLI is not installed. Run: ${installCommand(['prisma'], { dev: true })}`,
    )
  }
  const given = process.env.DATABASE_URL
  if (!given) process.env.DATABASE_URL = 'postgresql://localhost/none'
  try {
    const config = createRequire(prisma)('@prisma/config') as PrismaConfig
    return await config.loadConfigFromFile({ configRoot: root })
  } finally {
    if (given === undefined) delete process.env.DATABASE_URL
    else process.env.DATABASE_URL = given
  }
}
