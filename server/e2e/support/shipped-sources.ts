import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { ROOT } from './documents.js'

const { workspaces } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  workspaces: readonly string[]
}

/** The sources that the packages are built from, parsed; file names start at the root. */
export function shippedSources(): readonly ts.SourceFile[] {
  const files = workspaces.flatMap((workspace) => {
    const config = ts.getParsedCommandLineOfConfigFile(
      `${ROOT}${workspace}/tsconfig.json`,
      {},
      { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (why) => fail(why) },
    )
    return config?.fileNames ?? []
  })
  // Bundled into the script of the page.
  return [...files, `${ROOT}server/pages/page.ts`].map((file) =>
    ts.createSourceFile(
      file.slice(ROOT.length),
      readFileSync(file, 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    ),
  )
}

function fail({ messageText }: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
}

/** Calls `look` with a node and all below it. */
export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node)
  node.forEachChild((child) => visit(child, look))
}

/** `server/log.ts:12` of a node. */
export function placeOf(node: ts.Node): string {
  const source = node.getSourceFile()
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
}
