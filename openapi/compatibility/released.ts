import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenApiDocument } from '../specification.js'
import type { VersionedDocument } from './verdict.js'

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
