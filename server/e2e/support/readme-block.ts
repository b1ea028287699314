import { readFile } from 'node:fs/promises'
import { transform } from 'esbuild'

const ROOT = new URL('../../../', import.meta.url)

/** The blocks of TypeScript, or of another language, in a document of the repository. */
export async function readBlocks(document: string, language = 'ts'): Promise<readonly string[]> {
  const text = await readFile(new URL(document, ROOT), 'utf8')
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code = '']) => code,
  )
}

/**
 * Runs a block as it stands in the document. What it imports comes from `modules`, what it takes for
 * given from `given`; returns the values of its top-level names in `wanted`.
 */
export async function runBlock(
  code: string,
  options: {
    modules: Readonly<Record<string, object>>
    given?: Readonly<Record<string, unknown>>
    wanted?: readonly string[]
  },
): Promise<Record<string, unknown>> {
  const { modules, given = {}, wanted = [] } = options
  const { code: script } = await transform(code, {
    loader: 'tsx',
    jsx: 'automatic',
    target: 'node20',
  })
  const body = script
    .replace(/^export (?=const|function|class)/gm, '')
    .replace(
      /^import (?:(\w+)|(\{[^}]+\})) from "([^"]+)";$/gm,
      (_line, name: string | undefined, names: string | undefined, module: string) => {
        if (!(module in modules)) throw new Error(`The block imports ${module}.`)
        const bound = name ? `{ default: ${name} }` : names?.replaceAll(' as ', ': ')
        return `const ${bound} = modules[${JSON.stringify(module)}];`
      },
    )
  const names = [...Object.keys(given), 'modules']
  // oxlint-disable-next-line typescript/no-implied-eval -- it is the block of our own document.
  const run = new Function(
    ...names,
    `return (async () => { ${body}\nreturn { ${wanted.join(', ')} } })()`,
  ) as (...values: unknown[]) => Promise<Record<string, unknown>>
  return run(...Object.values(given), modules)
}
