import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { declares, mentions, type Snippet } from './check-types.js'
import { GIVEN, GIVEN_IN_EXAMPLES } from './document-registry.js'
import { ROOT } from './documents.js'

/**
 * The examples in the comments of a source. One stands beside the source, and has what that exports
 * without an import.
 */
export async function readExamples(path: string): Promise<Snippet[]> {
  const source = await readFile(ROOT + path, 'utf8')
  const exported = [...source.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
  const given = Object.fromEntries(
    Object.entries({ ...GIVEN, ...GIVEN_IN_EXAMPLES }).filter(([name]) => !exported.includes(name)),
  )
  const fences = source.matchAll(/^ *\* ```(tsx?)\n([\s\S]*?)^ *\* ```$/gm)
  const place = path.replace(/\.tsx?$/, '')
  return [...fences].map(({ 1: language = '', 2: fence = '', index }): Snippet => {
    const text = fence.replace(/^ *\* ?/gm, '')
    const own = exported.filter((name) => mentions(text, name) && !declares(text, name))
    const module = `./${posix.basename(place)}.js`
    return {
      at: `${path}:${source.slice(0, index).split('\n').length}`,
      text,
      file: `${place}-example-${index}.${language}`,
      given,
      before: own.length > 0 ? `import { ${own.join(', ')} } from '${module}'; ` : '',
    }
  })
}
