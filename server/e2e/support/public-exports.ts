import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import ts from 'typescript'
import manifest from '../../../package.json' with { type: 'json' }
import { ROOT } from './documents.js'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

/** The sources of the entry points of all packages, by the name that is imported. */
export function entryPoints(): ReadonlyMap<string, string> {
  return new Map(
    manifest.workspaces.flatMap((directory) => {
      const text = readFileSync(`${ROOT}${directory}/package.json`, 'utf8')
      const { name, exports } = JSON.parse(text) as Manifest
      return Object.entries(exports).flatMap(([path, target]) => {
        if (typeof target === 'string' || path === './internal') return []
        const source = target.default.replace('./dist/', '').replace(/\.js$/, '.ts')
        return [[path.replace('.', name), `${directory}/${source}`] as const]
      })
    }),
  )
}

/** Types that a declaration of the package names, and only our own files can import. */
export function hiddenTypes(program: ts.Program): string[] {
  const checker = program.getTypeChecker()
  const symbols = new Set(publicSymbols(program))
  const hidden = new Set<string>()
  const isHidden = (symbol: ts.Symbol): boolean => {
    const [declaration] = symbol.declarations ?? []
    if (!declaration || !isOurs(declaration) || symbols.has(symbol)) return false
    return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Export) !== 0
  }
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || ts.isVariableDeclaration(node)) return
    const named = ts.isTypeReferenceNode(node) && checker.getSymbolAtLocation(node.typeName)
    if (named && isHidden(originalOf(named, checker))) {
      hidden.add(`${placeOf(node)}: ${named.name}`)
    }
    ts.forEachChild(node, visit)
  }
  for (const { declarations = [] } of symbols) declarations.filter(isOurs).forEach(visit)
  return [...hidden]
}

function publicSymbols(program: ts.Program): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const symbols = [...entryPoints().values()].flatMap((source) => {
    const file = program.getSourceFile(ROOT + source)
    const module = file && checker.getSymbolAtLocation(file)
    if (!module) throw new Error(`${source} is not a module.`)
    return checker.getExportsOfModule(module)
  })
  return [...new Set(symbols.map((symbol) => originalOf(symbol, checker)))]
}

const originalOf = (symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

/** The links in comments of the sources that lead nowhere. */
export function brokenLinks(program: ts.Program): string[] {
  const checker = program.getTypeChecker()
  const broken: string[] = []
  const visit = (node: ts.Node): void => {
    const isLink = ts.isJSDocLink(node) || ts.isJSDocLinkCode(node) || ts.isJSDocLinkPlain(node)
    if (isLink && (!node.name || !checker.getSymbolAtLocation(node.name))) {
      broken.push(`${placeOf(node)}: ${node.getText()}`)
    }
    for (const child of node.getChildren()) visit(child)
  }
  program.getSourceFiles().filter(isOurs).forEach(visit)
  return broken
}

const isOurs = (node: ts.Node): boolean => {
  const path = relative(ROOT, node.getSourceFile().fileName)
  return !/^\.\.|node_modules\/|dist\/|prisma\/generated\//.test(path)
}

function placeOf(node: ts.Node): string {
  const file = node.getSourceFile()
  const { line } = file.getLineAndCharacterOfPosition(node.getStart())
  return `${relative(ROOT, file.fileName)}:${line + 1}`
}
