import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenApiDocument } from '../specification.js'
import { type BreakingChange, breakingChanges } from './changes.js'

/** A document and its package version. */
interface VersionedDocument {
  version: string
  document: OpenApiDocument
}

/** Whether a document may follow a released one. */
interface Verdict {
  breaking: BreakingChange[]
  /** True without breaking changes, or when the version allows them. */
  allowed: boolean
  /** The verdict as text, with how to fix it. */
  report: string
}

/**
 * Compares a document with the last release. Breaking changes need a new major version, or before
 * 1.0.0 a new minor version (Semantic Versioning 2.0.0, items 4 and 8).
 */
export function judge(released: VersionedDocument, current: VersionedDocument): Verdict {
  const breaking = breakingChanges(released.document, current.document)
  const moved = announcesBreaks(released.version, current.version)
  const allowed = breaking.length === 0 || moved
  return { breaking, allowed, report: report(breaking, { released, current, moved }) }
}

/** Whether a version increment allows breaking changes. */
export function announcesBreaks(earlier: string, later: string): boolean {
  const [before, after] = [parse(earlier), parse(later)]
  if (after.major !== before.major) return after.major > before.major
  return before.major === 0 && after.minor > before.minor
}

function parse(version: string): { major: number; minor: number } {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+/.exec(version) ?? []
  if (major === undefined) throw new Error(`${version} is not a version such as 1.2.3.`)
  return { major: Number(major), minor: Number(minor) }
}

function report(
  breaking: readonly BreakingChange[],
  context: { released: VersionedDocument; current: VersionedDocument; moved: boolean },
): string {
  const { released, current, moved } = context
  if (breaking.length === 0) return `Nothing breaks what ${released.version} promised.`
  const count = breaking.length === 1 ? '1 change breaks' : `${breaking.length} changes break`
  const places = [...new Set(breaking.map(({ where }) => where))]
  return [
    `${count} what ${released.version} promised:`,
    ...places.flatMap((place) => [
      `  ${place}`,
      ...breaking.filter(({ where }) => where === place).map(({ what }) => `    ${what}`),
    ]),
    moved
      ? `The package is at ${current.version}, which says so.`
      : `Undo this, or move the version in package.json from ${current.version} to ${next(released.version)}.`,
  ].join('\n')
}

function next(version: string): string {
  const { major, minor } = parse(version)
  return major === 0 ? `0.${minor + 1}.0` : `${major + 1}.0.0`
}

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** Directory with the document of the last release, named by its version. */
export const RELEASED = path('openapi/released/')

/**
 * Reads the document of the last release, which `npm run contract:release` stored.
 *
 * @throws Error unless there is exactly one.
 */
export async function readReleased(): Promise<VersionedDocument> {
  const files = (await readdir(RELEASED)).filter((file) => file.endsWith('.json'))
  const [file] = files
  if (file === undefined || files.length > 1) {
    throw new Error(
      `openapi/released/ must hold one document and holds ${files.length}. ` +
        'Take the last one from version control.',
    )
  }
  return readVersioned(`${RELEASED}${file}`)
}

/** Reads a document from a file named by its version, such as `0.1.0.json`. */
export async function readVersioned(file: string): Promise<VersionedDocument> {
  return { version: basename(file, '.json'), document: await readDocument(file) }
}

/** Reads the committed document and the version of the package. */
export async function readCurrent(): Promise<VersionedDocument> {
  const { version } = JSON.parse(await readFile(path('package.json'), 'utf8')) as {
    version: string
  }
  return { version, document: await readDocument(path('openapi/auth.v1.json')) }
}

async function readDocument(file: string): Promise<OpenApiDocument> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text) as OpenApiDocument
  } catch (cause) {
    throw new Error(`${file} is not JSON. Run: npm run openapi`, { cause })
  }
}
