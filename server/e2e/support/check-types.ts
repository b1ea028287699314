import { setImmediate as nextTurn } from 'node:timers/promises'
import ts from 'typescript'
import { ROOT } from './documents.js'

/** A piece of TypeScript that stands in a document or a comment. */
export interface Snippet {
  /** Where it stands, for messages. */
  readonly at: string
  readonly text: string
  /** The module that it makes, from the root; others may import it. */
  readonly file: string
  /** What it takes for given: the type of each name. A declaration of its own wins. */
  readonly given: Readonly<Record<string, string>>
  /** What stands before it, on one line. */
  readonly before?: string
}

/** What came of compiling. */
export interface Compiled {
  readonly program: ts.Program
  /** What the compiler says of the snippets. */
  readonly failures: readonly string[]
}

/**
 * Compiles snippets by the settings of the project, and `sources` with them, in one run. They import
 * the package by its name and see what its exports let them see, as sources.
 */
export async function compile(
  snippets: readonly Snippet[],
  sources: readonly string[],
): Promise<Compiled> {
  const files = new Map(
    snippets.map((snippet) => {
      const before = `${snippet.before ?? ''}${declarations(snippet)}`
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
  const roots = [...files.keys(), ...sources.map((source) => ROOT + source)]
  const program = ts.createProgram(roots, options, host)
  const failures: string[] = []
  for (const [path, { snippet }] of files) {
    // The test runner gives up on a worker that does not answer for a minute.
    await nextTurn()
    const file = program.getSourceFile(path)
    for (const { messageText, start = 0 } of ts.getPreEmitDiagnostics(program, file)) {
      const { line = 0 } = file?.getLineAndCharacterOfPosition(start) ?? {}
      const message = ts.flattenDiagnosticMessageText(messageText, '\n')
      failures.push(`${snippet.at}, line ${line}: ${message}`)
    }
  }
  return { program, failures }
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

/** Declares what a snippet uses of what is given to it, and does not declare itself. */
function declarations({ text, given }: Snippet): string {
  return Object.entries(given)
    .filter(([name]) => mentions(text, name) && !declares(text, name))
    .map(([name, type]) => `declare const ${name}: ${type};`)
    .join(' ')
}

/** Whether a text uses a name, but not as a member of something. */
export const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\w'-]|(?<!\\.\\.)\\.)${name}(?![\\w'-])`).test(text)

/** Whether a text declares or imports a name. */
export const declares = (text: string, name: string): boolean =>
  new RegExp(`\\b(const|let|function|class) ${name}\\b|import[^'"]*\\b${name}\\b[^'"]*from`).test(
    text,
  ) || new RegExp(`const [[{][^=]*\\b${name}\\b[^=]*[\\]}] =`).test(text)
