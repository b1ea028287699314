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
  /^dist\/(backends|client|contract|openapi|prisma|server)\/[\w/-]+\.(js|js\.map|d\.ts)$/,
]
const FORBIDDEN = /\.test\.|-suite\.|(^|\/)(\.env|\.npmrc|bench|testing|e2e\/(?!attack\/http\/))/

/** Packed bytes beyond which somebody should look at what came in. */
const MOST_BYTES = 1_250_000

interface Manifest {
  exports: Record<string, string | { types: string; default: string }>
  bin: Record<string, string>
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
    const modules = packed.files.filter((file) => file.endsWith('.js'))
    const isReached = (file: string) =>
      reached.has(file) || reached.has(file.replace(/\.js$/, '.d.ts'))
    expect(modules.filter((file) => !isReached(file))).toEqual([])
  })

  it('has a source map with its source for every module, and no path of the machine', () => {
    for (const file of packed.files.filter((name) => name.endsWith('.js'))) {
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
