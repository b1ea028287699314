import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, relative, sep } from 'node:path'
import { spawn } from 'node:child_process'
import { AuthConfigurationError } from '@netscript/plugin-auth-core'
import { installCommand } from '@netscript/plugin-auth-core/internal'
import type prismaConfig from '@prisma/config'
import { engineVariables } from '@netscript/auth-database/internal'
import { applyChanges, type Change, openWorkspace, type Workspace } from '../plugin/workspace.js'
import { readManifests } from '../plugin/manifest.js'

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

/** A project and the plugins whose schemas it contains. */
export interface PreparedProject extends PrismaProject {
  readonly plugins: readonly string[]
}

/** Copies the schemas of enabled plugins into the workspace's schema, and removes those of disabled ones. */
export async function prepareProject(root: string): Promise<PreparedProject> {
  const project = await readPrismaProject(root)
  if (!existsSync(join(root, 'package.json'))) return { ...project, plugins: [] }
  const workspace = openWorkspace(root)
  const manifests = readManifests(workspace)
  for (const { name, enabled } of manifests) {
    const schema = workspace.read(`plugins/${name}/database/${name}.prisma`)
    if (!enabled) rmSync(join(root, aggregatedPath(project, name)), { force: true })
    else if (schema !== undefined) {
      const change = aggregateSchema(workspace, project, name, schema)
      if (change) await applyChanges(root, [change])
    }
  }
  const plugins = manifests.filter(({ enabled }) => enabled).map(({ name }) => name)
  return { ...project, plugins }
}

/** Path of a plugin's schema in the workspace's schema folder. */
export function aggregatedPath({ schema }: PrismaProject, plugin: string): string {
  return `${schema}/plugins/${plugin}.prisma`
}

/** Adds a plugin's schema to the workspace's; does nothing when it is up to date. */
export function aggregateSchema(
  workspace: Workspace,
  project: PrismaProject,
  plugin: string,
  schema: string,
): Change | undefined {
  const path = aggregatedPath(project, plugin)
  const before = workspace.read(path)
  const after = `// Made from plugins/${plugin}/database/${plugin}.prisma by netscript: change that one.\n\n${schema}`
  return before === after ? undefined : { path, before, after }
}

/** Result of a Prisma CLI run. */
interface PrismaAnswer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs the Prisma CLI in a workspace: the workspace's own, or else this package's. It makes no network
 * requests.
 */
export function runPrisma(
  root: string,
  args: readonly string[],
  databaseUrl?: string,
): Promise<PrismaAnswer> {
  const cli = join(dirname(findPrisma(root)), 'build', 'index.js')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: root,
      env: {
        ...process.env,
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        ...engineVariables(),
        // Prisma looks for generators in PATH.
        PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
        CHECKPOINT_DISABLE: '1',
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
}

/** Path of the package.json of the Prisma CLI, an optional peer; `undefined` when it is not installed. */
function locatePrisma(root: string): string | undefined {
  for (const from of [join(root, 'package.json'), import.meta.url]) {
    try {
      return createRequire(from).resolve('prisma/package.json')
    } catch {
      // Try the next location.
    }
  }
  return undefined
}

function findPrisma(root: string): string {
  const found = locatePrisma(root)
  if (found !== undefined) return found
  throw new AuthConfigurationError(
    `The Prisma CLI is not installed. Run: ${installCommand(['prisma', '@prisma/schema-engine-wasm'], { dev: true })}`,
  )
}
