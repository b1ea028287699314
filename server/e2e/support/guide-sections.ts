import { readFile } from 'node:fs/promises'
import { ROOT } from './documents.js'

/** A section of a guide: what it says to save and to run. */
export interface Section {
  readonly text: string
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly commands: readonly string[]
}

/** The sections of a document by heading; what precedes them is under the title. */
export async function readSections(document: string): Promise<ReadonlyMap<string, Section>> {
  const sections = (await readFile(ROOT + document, 'utf8')).split(/^##? /m).slice(1)
  return new Map(
    sections.map((text) => {
      const saved = text.matchAll(/[Ss]ave this as\s+`([^`]+)`(?:(?!```)[^])*?```\w+\n([^]*?)```/g)
      const shells = text.matchAll(/```sh\n([^]*?)```/g)
      return [
        text.split('\n', 1)[0] ?? '',
        {
          text,
          files: [...saved].map(([, path = '', code = '']) => [path, code]),
          commands: [...shells].flatMap(([, lines = '']) => lines.trim().split('\n')),
        },
      ]
    }),
  )
}

/** Whether a command line installs packages. */
export const isInstall = (line: string): boolean => /^(npm install|bun add) /.test(line)

/** `app/routes.ts` of React Router, with the routes that sections name in their text. */
export function routesOf(sections: readonly Section[]): [string, string][] {
  const named = sections.flatMap(({ text }) => [...text.matchAll(/`(route\([^`]+)`/g)])
  if (named.length === 0) return []
  const imports = `import { route } from '@react-router/dev/routes'`
  return [
    ['app/routes.ts', `${imports}\nexport default [${named.map(([, one]) => one).join(', ')}]`],
  ]
}
