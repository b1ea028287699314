import ts from 'typescript'
import { ROOT } from './documents.js'

/** A piece of TypeScript that stands in a document or a comment. */
export interface Snippet {
  /** Where it stands, for messages. */
  readonly at: string
  readonly text: string
  /** The module that it makes, from the root; others may import it. */
  readonly file: string
  /** What stands before it, on one line. */
  readonly before?: string
}

/**
 * What the compiler says of snippets, by the settings of the project, in one run. They import the
 * package by its name and see what its exports let them see, as sources. What a snippet takes for
 * given is declared from `given`, a type by name, unless the snippet has a declaration of its own.
 */
export function checkTypes(
  snippets: readonly Snippet[],
  given: Readonly<Record<string, string>>,
): string[] {
  const files = new Map(
    snippets.map((snippet) => {
      const before = `${snippet.before ?? ''}${declarations(snippet.text, given)}`
      return [ROOT + snippet.file, { snippet, source: `${before}\n${snippet.text}\nexport {}\n` }]
    }),
  )
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const getSourceFile = host.getSourceFile.bind(host)
  const folders = new Set([...files.keys()].map((path) => path.slice(0, path.lastIndexOf('/'))))
  host.directoryExists = (path) => folders.has(path) || ts.sys.directoryExists(path)
  host.fileExists = (path) => files.has(path) || ts.sys.fileExists(path)
  host.readFile = (path) => files.get(path)?.source ?? ts.sys.readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const file = files.get(path)
    return file
      ? ts.createSourceFile(path, file.source, version)
      : getSourceFile(path, version, ...rest)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files].flatMap(([path, { snippet }]) => {
    const file = program.getSourceFile(path)
    return ts.getPreEmitDiagnostics(program, file).map(({ messageText, start = 0 }) => {
      const { line = 0 } = file?.getLineAndCharacterOfPosition(start) ?? {}
      const message = ts.flattenDiagnosticMessageText(messageText, '\n')
      return `${snippet.at}, line ${line}: ${message}`
    })
  })
}

function compilerOptions(): ts.CompilerOptions {
  const config = `${ROOT}tsconfig.json`
  const { config: read } = ts.readConfigFile(config, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...read.compilerOptions,
      noUnusedLocals: false,
      allowUnusedLabels: true,
      jsx: 'react-jsx',
      // With these the compiler finds the source behind what package.json exports.
      rootDir: '.',
      outDir: 'dist',
      noEmit: false,
    },
    ROOT,
    config,
  )
  return { ...options, configFilePath: config }
}

function declarations(text: string, given: Readonly<Record<string, string>>): string {
  return Object.entries(given)
    .filter(([name]) => mentions(text, name) && !declares(text, name))
    .map(([name, type]) => `declare const ${name}: ${type};`)
    .join(' ')
}

/** Whether a text uses a name. */
export const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\w.'-])${name}(?![\\w'-])`).test(text)

/** Whether a text declares or imports a name. */
export const declares = (text: string, name: string): boolean =>
  new RegExp(`\\b(const|let|function|class) ${name}\\b|import[^'"]*\\b${name}\\b[^'"]*from`).test(
    text,
  ) || new RegExp(`const [[{][^=]*\\b${name}\\b[^=]*[\\]}] =`).test(text)
