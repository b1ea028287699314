import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OpenApiDocument } from '../specification.js'
import type { VersionedDocument } from './verdict.js'

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** Where the document of the last release is kept, named after the version of the package. */
export const RELEASED = path('openapi/released/')

/**
 * The document that was released last. `npm run contract:release` keeps it.
 *
 * @throws Error when there is not exactly one.
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

/** A document from a file that is named after its version, such as `0.1.0.json`. */
export async function readVersioned(file: string): Promise<VersionedDocument> {
  return { version: basename(file, '.json'), document: await readDocument(file) }
}

/** The committed document and the version of the package. */
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
