import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { beforeAll, describe, expect, it } from 'vitest'
import root from '../../package.json' with { type: 'json' }
import { deadLinks, readDocument } from './support/documents.js'
import { type PackedPackage, packPackages } from './support/packed.js'

/** Upper bounds of packed bytes; what lies beyond deserves a look at what came in. */
const MOST_BYTES: Readonly<Record<string, number>> = {
  '@netscript/auth-client': 60_000,
  '@netscript/auth-database': 400_000,
  // Swagger UI has half a megabyte.
  '@netscript/plugin-auth': 1_300_000,
}
const MOST_BYTES_OF_OTHERS = 300_000

const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|KEYS\.md|(CONFIGURATION|FRONTENDS|GETTING-STARTED|HOSTS|PERFORMANCE|TROUBLESHOOTING|UPGRADING)\.md|llms\.txt|auth\.v1\.json)$/,
  /^(cli|session-store|react|conformance|deploy|storage)\/((FORWARD-AUTH|MONITORING|README|REDIS)\.md|Caddyfile|alerts\.yaml|env\.example|grafana-dashboard\.json)$|^POSTGRES\.md$/,
  /^(schema\/\w+\.prisma|schema-engine\.mjs)$/,
  /^migrations\/(migration_lock\.toml|\d{14}_\w+\/migration\.sql)$/,
  /^pages\/generated\/swagger-ui\/(LICENSE|NOTICE|swagger-ui\.css|favicon-32x32\.png)$/,
  /^pages\/generated\/swagger-ui\/swagger-ui-bundle\.js(\.LICENSE\.txt)?$/,
  // Sources as well: declarations and source maps lead to them.
  /^[\w/-]+(\.d)?\.ts$/,
  /^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/,
  // `require` of the testing kit.
  /^index\.cts$|^dist\/index\.(cjs|cjs\.map|d\.cts)$/,
]
const FORBIDDEN =
  /\.test\.|-suite\.|(^|\/)(\.env|\.npmrc|(server\/)?bench|testing|e2e|examples\/|\.tsbuildinfo)/

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>
  readonly bin?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly repository?: object
  readonly homepage?: string
  readonly keywords?: readonly string[]
}

/** `plugin add` writes a module that imports this one beside it. */
const SCAFFOLDED = /^dist\/cli\/plugin\/backend\.(js|d\.ts)$/

/** Peers of a dependency, which has them from here where a package reaches only what is declared. */
const PASSED_ON: Readonly<Record<string, readonly string[]>> = {
  '@netscript/auth-better-auth': ['@prisma/adapter-pg', '@prisma/client'],
}

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'prepare']

const names = root.workspaces.map(
  (directory) =>
    (
      JSON.parse(
        readFileSync(new URL(`../../${directory}/package.json`, import.meta.url), 'utf8'),
      ) as Manifest
    ).name,
)
let packages: ReadonlyMap<string, PackedPackage>
beforeAll(async () => {
  packages = new Map((await packPackages()).map((one) => [one.name, one]))
}, 600_000)

const declarationOf = (module: string): string => module.replace(/\.js$/, '.d.ts')

const isModule = (file: string): boolean =>
  /^dist\/.*\.js$/.test(file) && !file.includes('/swagger-ui/')

describe.each(names)('%s', (name) => {
  let packed: PackedPackage
  let manifest: Manifest
  const read = (file: string): string => readFileSync(`${packed.directory}/${file}`, 'utf8')
  beforeAll(() => {
    const found = packages.get(name)
    if (!found) throw new Error(`${name} was not packed.`)
    packed = found
    manifest = JSON.parse(read('package.json')) as Manifest
  })

  const targets = (target: unknown): string[] =>
    typeof target === 'string'
      ? [target.replace('./', '')]
      : Object.values(target as object).flatMap(targets)
  const entryFiles = (): string[] => [
    ...Object.values(manifest.exports).flatMap(targets),
    ...Object.values(manifest.bin ?? {}),
  ]

  /** Every file that these import, at run time or for their types, and they themselves. */
  function reachableFrom(
    files: readonly string[],
    filesOf = (module: string): string[] => [module, declarationOf(module)],
  ): Set<string> {
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      if (!packed.files.includes(file) || !/\.(js|d\.ts)$/.test(file)) return
      for (const [, specifier = ''] of read(file).matchAll(
        /(?:from|import|import\(|new URL\()\s*['"](\.[^'"]+\.js)['"]/g,
      )) {
        filesOf(posix.join(posix.dirname(file), specifier)).forEach(visit)
      }
    }
    files.forEach(visit)
    return reached
  }

  it('has only files that a user needs, and is small', () => {
    expect(packed.files.filter((file) => !ALLOWED.some((rule) => rule.test(file)))).toEqual([])
    expect(packed.files.filter((file) => FORBIDDEN.test(file))).toEqual([])
    expect(packed.size).toBeLessThan(MOST_BYTES[name] ?? MOST_BYTES_OF_OTHERS)
    expect(packed.files).toEqual(expect.arrayContaining(['README.md', 'LICENSE']))
  })

  it('has documents whose relative links lead to files and headings of the package', async () => {
    const paths = packed.files.filter((file) => file.endsWith('.md'))
    const documents = await Promise.all(paths.map((path) => readDocument(path, packed.directory)))
    const dead = documents.flatMap((document) =>
      deadLinks(document, documents, (path) => packed.files.includes(path)),
    )
    // documents.test.ts checks the absolute ones.
    expect(dead.filter((link) => !link.includes(': https:'))).toEqual([])
  })

  it('has every file that it exports, and no module that nothing leads to', () => {
    const entries = entryFiles()
    expect(entries.filter((file) => !packed.files.includes(file))).toEqual([])
    const reached = reachableFrom(entries)
    const isMissing = (file: string) => !packed.files.includes(file) && !SCAFFOLDED.test(file)
    expect([...reached].filter(isMissing)).toEqual([])
    const isReached = (file: string) => reached.has(file) || reached.has(declarationOf(file))
    expect(packed.files.filter(isModule).filter((file) => !isReached(file))).toEqual([])
  })

  it('names only sources that it ships in its source maps, and no path of the machine', () => {
    // The Prisma client is generated, and its sources are as large as what is compiled from them.
    const written = packed.files.filter((file) => isModule(file) && !file.includes('/generated/'))
    for (const file of written) {
      const map = JSON.parse(read(`${file}.map`)) as { sources: string[] }
      const [source = ''] = map.sources
      expect(packed.files, file).toContain(posix.join(posix.dirname(file), source))
      expect(read(file), file).not.toContain(process.cwd())
    }
  })

  it('has declarations that do not depend on the types of ts-rest', () => {
    const declarations = packed.files.filter((file) => file.endsWith('.d.ts'))
    expect(
      declarations.filter((file) => /from '@ts-rest|import\('@ts-rest/.test(read(file))),
    ).toEqual([])
  })

  it('has entry points whose declarations do not need the types of pg', () => {
    const entries = entryFiles().filter((file) => file.endsWith('.d.ts'))
    const declarations = [...reachableFrom(entries, (module) => [declarationOf(module)])]
    expect(declarations.filter((file) => /(from |import\()'pg'/.test(read(file)))).toEqual([])
  })

  it('declares every package that it imports', () => {
    const { dependencies, peerDependencies } = manifest
    const declared = new Set([name, ...Object.keys({ ...dependencies, ...peerDependencies })])
    const undeclared = packed.files
      .filter((file) => isModule(file) || file.endsWith('.d.ts'))
      .flatMap((file) =>
        [...read(file).matchAll(/^(?:import|export|\} from)\b[^;]*?from '([^'.][^']*)'/gm)]
          .map(([, specifier = '']) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '')
          .filter((one) => !one.startsWith('node:') && !declared.has(one))
          .map((one) => `${file}: ${one}`),
      )
    expect(undeclared).toEqual([])
  })

  it('uses every package that it declares', () => {
    const { dependencies, peerDependencies } = manifest
    const text = packed.files.filter((file) => /^dist\/.*\.(js|d\.ts)$/.test(file)).map(read)
    const isUsed = (one: string): boolean => {
      const quoted = new RegExp(`['"\`]${one.replace('@types/', '')}[/'"\`]`)
      return text.some((code) => quoted.test(code)) || PASSED_ON[name]?.includes(one) === true
    }
    const declared = Object.keys({ ...dependencies, ...peerDependencies })
    expect(declared.filter((one) => !isUsed(one))).toEqual([])
  })

  it('runs no script at install, and declares what a registry shows', () => {
    const scripts = Object.keys(manifest.scripts ?? {})
    expect(scripts.filter((script) => INSTALL_SCRIPTS.includes(script))).toEqual([])
    expect(manifest.repository).toMatchObject({ type: 'git' })
    expect(manifest.homepage).toMatch(/^https:/)
    expect(manifest.keywords).toContain('authentication')
  })

  it('passes publint', async () => {
    const tarball = new Uint8Array(readFileSync(packed.tarball)).buffer
    const { messages } = await publint({ pack: { tarball }, level: 'suggestion', strict: true })
    expect(messages).toEqual([])
  })

  /** All but CommonJS and resolution without `exports`: the packages are ESM. */
  it('passes attw for ESM and bundlers', async () => {
    const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(packed.tarball)))
    const entrypoints = Object.keys(manifest.exports)
    const analysis = await checkPackage(tarball, { entrypoints })
    const problems = 'problems' in analysis ? analysis.problems : undefined
    const isOurs = (problem: object): boolean => {
      const { resolutionKind, resolutionOption } = problem as Record<string, unknown>
      return (
        resolutionKind !== 'node16-cjs' && ![resolutionKind, resolutionOption].includes('node10')
      )
    }
    expect(problems?.filter(isOurs)).toEqual([])
    expect(Object.keys('entrypoints' in analysis ? analysis.entrypoints : {})).toEqual(entrypoints)
  })
})
