import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** The entry points of the package that documents import, as sources. */
const ENTRY_POINTS: Record<string, string> = {
  client: 'client/index.ts',
  contract: 'contract/index.ts',
  guard: 'client/guard/index.ts',
  openapi: 'openapi/index.ts',
  'session-store': 'client/session-store/index.ts',
}

/**
 * What the compiler says of sources that stand nowhere, each a module, by the settings of the
 * project. `prelude` declares what they take for given.
 */
export function checkTypes(sources: readonly string[], prelude: string): string[] {
  const files = new Map(
    sources.map((source, index) => [`${ROOT}block-${index}.ts`, `${source}\nexport {}\n`]),
  )
  files.set(`${ROOT}prelude.ts`, `${prelude}\nexport {}\n`)
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      noUnusedLocals: false,
      paths: Object.fromEntries(
        Object.entries(ENTRY_POINTS).map(([name, file]) => [
          `@netscript/plugin-auth/${name}`,
          [`./${file}`],
        ]),
      ),
    },
    ROOT,
  )
  const host = ts.createCompilerHost(options)
  const getSourceFile = host.getSourceFile.bind(host)
  host.fileExists = (path) => files.has(path) || ts.sys.fileExists(path)
  host.readFile = (path) => files.get(path) ?? ts.sys.readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path)
    if (text === undefined) return getSourceFile(path, version, ...rest)
    return ts.createSourceFile(path, text, version)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path)
    return ts
      .getPreEmitDiagnostics(program, file)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
      .map((message) => `${message}\n${files.get(path)}`)
  })
}
