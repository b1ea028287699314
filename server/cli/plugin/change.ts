import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createTwoFilesPatch } from 'diff'
import { type Paint, plain } from '../terminal.js'

/** A planned change to a file. */
export interface Change {
  /** Relative to the workspace, with slashes. */
  readonly path: string
  /** `undefined` when the file does not exist. */
  readonly before: string | undefined
  readonly after: string
  /** Whether it contains secrets; only its owner may read it then. */
  readonly secret?: boolean
  /** What --dry-run shows as added in place of a diff, for a file that may hold secrets. */
  readonly shown?: string
}

/** Writes the changes in order. */
export async function applyChanges(root: string, changes: readonly Change[]): Promise<void> {
  for (const { path, after, secret } of changes) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    if (secret) await (await import('../env-file.js')).writeEnvFile(after, file)
    else writeFileSync(file, after)
  }
}

/** Formats the changes as a unified diff. Of a file that may hold secrets it shows the additions only. */
export function describeChanges(changes: readonly Change[], paint: Paint = plain): string {
  return changes.map((change) => describe(change, paint)).join('\n')
}

function describe({ path, before, after, shown }: Change, paint: Paint): string {
  const [from, to] = shown === undefined ? [before ?? '', after] : ['', shown]
  const oldName = before === undefined ? '/dev/null' : path
  return createTwoFilesPatch(oldName, path, from, to)
    .split('\n')
    .slice(1)
    .map((line) =>
      line.startsWith('+')
        ? paint('green', line)
        : line.startsWith('-')
          ? paint('red', line)
          : line,
    )
    .join('\n')
}
